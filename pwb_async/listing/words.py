"""How a listing shows a size, a time and the kind of a file."""

from datetime import UTC, datetime
from typing import Final

from pwb_async.core.site.media_types import ARCHIVES

_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_STEP: Final = 1024
_SECOND: Final = 1_000_000_000
_LAST_YEAR: Final = 253_402_300_799
"""The last second of the year 9999."""
_CODE: Final = frozenset(
    b"text/html text/css text/javascript text/wgsl application/json application/xml application/wasm "
    b"application/manifest+json application/toml application/yaml application/sql application/xhtml+xml".split()
)
_DOCUMENTS: Final = (b"application/pdf", b"application/msword", b"application/rtf", b"application/vnd.oas",
    b"application/vnd.ms-", b"application/vnd.openxml", b"application/epub", b"application/postscript")  # fmt: skip
_TOPS: Final = {b"image": "image", b"audio": "audio", b"video": "video", b"font": "font", b"text": "text"}


def size_text(size: int) -> str:
    """A size in bytes as people read it, such as 1.5 KiB."""
    value, unit = float(size), 0
    while value >= _STEP - 0.05 and unit < len(_UNITS) - 1:
        value /= _STEP
        unit += 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{size} B"


def machine_time(mtime_ns: int) -> str:
    """A modification time as RFC 3339 demands, in UTC and whole seconds; "" outside of the years 1 to 9999."""
    seconds = mtime_ns // _SECOND
    if seconds > _LAST_YEAR:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    except (ValueError, OverflowError, OSError):
        return ""


def icon(media_type: bytes) -> str:
    """The name of the icon of a media type."""
    media_type = media_type.partition(b";")[0]
    if media_type in _CODE:
        return "code"
    if media_type in ARCHIVES:
        return "archive"
    if media_type.startswith(_DOCUMENTS):
        return "document"
    return _TOPS.get(media_type.partition(b"/")[0], "file")
