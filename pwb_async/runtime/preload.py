"""Imports that must happen before a process gives up the right to read the files of Python and its packages.

Under --sandbox, or as a user that may not read them, a module that is imported on first use cannot be found any more.
"""

import importlib
from typing import Final

from pwb_async.storage import coders

_STANDARD_LIBRARY: Final = ("encodings.idna", "encodings.latin_1", "linecache", "traceback", "unicodedata")
"""Modules that Python itself imports when it first needs them."""
_REQUESTS: Final = ("hashlib", "ipaddress", "unicodedata")
"""Modules that the core imports for the first request that needs them."""
_RELOAD: Final = (
    "pwb_async.access.guard",
    "pwb_async.access.htpasswd",
    "pwb_async.access.trusted_proxies",
    "pwb_async.config.headers_file",
    "pwb_async.config.redirects_file",
    "pwb_async.config.rule_tables",
    "pwb_async.core.site.maintenance",
    "pwb_async.core.site.rule_warnings",
    "pwb_async.storage.slow_disk",
    "tomllib",
)
"""Modules that a reload imports if options or files of rules have become such that they are needed."""


def preload(*modules: str) -> None:
    """Import `modules`, and those that the standard library, the encoders and a reload import on first use."""
    for name in (*_STANDARD_LIBRARY, *_REQUESTS, *coders.MODULES, *_RELOAD, *modules):
        importlib.import_module(name)
