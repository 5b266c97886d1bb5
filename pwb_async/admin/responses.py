"""Responses that tell how the server is: they are for now, so no cache may keep them."""

from typing import Final

from pwb_async.core.semantics.messages import FieldList, Response
from pwb_async.core.site.error_pages import content_response

_NO_STORE: Final = (b"Cache-Control", b"no-store")
_SAME_ORIGIN: Final = (b"Cross-Origin-Resource-Policy", b"same-origin")
"""No page of another site may embed it."""


def text_response(method: bytes, media_type: bytes, text: bytes, status: int = 200, fields: FieldList = ()) -> Response:
    """A response with a text of this media type, and with more fields."""
    return content_response(status, method, ((b"Content-Type", media_type),), text, (_NO_STORE, _SAME_ORIGIN, *fields))


def health_response(method: bytes, reason: str) -> Response:
    """The response to a health check. reason: why the server is not healthy; "" if it is."""
    status, text = (503, f"no: {reason}\n") if reason else (200, "ok\n")
    return text_response(method, b"text/plain; charset=utf-8", text.encode(), status)
