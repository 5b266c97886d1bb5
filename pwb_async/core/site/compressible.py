"""The media types that are worth compressing: text in the wide sense, and formats that do not compress."""

from functools import lru_cache
from typing import Final

_TYPES: Final = frozenset(
    b"""application/graphql application/javascript application/json application/rtf application/sql application/toml
    application/vnd.apple.mpegurl application/vnd.ms-fontobject application/wasm application/x-ndjson application/xml
    application/yaml font/collection font/otf font/ttf image/bmp image/svg+xml image/x-icon""".split()
)
_SUFFIXES: Final = (b"+json", b"+xml", b"+yaml")
"""Structured syntaxes (RFC 6839, RFC 9512)."""
_STREAM: Final = b"text/event-stream"
"""A stream of events, each of which has to arrive at once."""


@lru_cache(256)
def is_compressible(media: bytes) -> bool:
    """Whether content of this media type, with or without parameters, is usually much smaller with a content coding."""
    essence = media.partition(b";")[0].strip().lower()
    if essence.startswith(b"text/"):
        return essence != _STREAM
    return essence in _TYPES or essence.endswith(_SUFFIXES)
