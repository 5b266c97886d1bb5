"""The application that a server imports by name; its root and options are in the environment, for server processes."""

import json
import os
from typing import Any

from pwb_async.asgi import StaticSite
from pwb_async.wsgi import StaticSite as WSGISite

VARIABLE = "STATIC_SITE"
"""Not one of PWB's own, which an application does not read."""


def __getattr__(name: str) -> Any:
    kinds = {"asgi": StaticSite, "wsgi": WSGISite}
    if name not in kinds:
        raise AttributeError(name)
    root, keywords = json.loads(os.environ[VARIABLE])
    site = globals()[name] = kinds[name](root, **keywords)
    return site
