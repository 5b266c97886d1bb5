"""The page that draws the metrics: one file without any request but for /metrics, as its policy enforces."""

import base64
import hashlib
import re
from importlib.resources import files
from typing import Final

DASHBOARD: Final = files(__package__).joinpath("dashboard.html").read_bytes()
"""The page."""


def _hash_of(element: bytes) -> bytes:
    """The source expression that allows the content of the page's only element of a name (CSP 3, 2.3.1)."""
    content = re.search(rb"<%s>(.*?)</%s>" % (element, element), DASHBOARD, re.DOTALL)
    assert content is not None
    return b"'sha256-%s'" % base64.b64encode(hashlib.sha256(content[1]).digest())


POLICY: Final = (
    b"default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    b"style-src %s; script-src %s" % (_hash_of(b"style"), _hash_of(b"script"))
)
"""The value of Content-Security-Policy: nothing but its own style and script, and the metrics."""
