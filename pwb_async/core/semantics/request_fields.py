"""The rules for fields of a request that hold in every version of HTTP, whatever carries them (RFC 9110)."""

from collections.abc import Mapping

from .grammar import LENGTH
from .target import valid_host


def host_fault(values: Mapping[bytes, list[bytes]]) -> str | None:
    """The fault of Host, if it has one (RFC 9110 7.2). values: as Fields has them."""
    hosts = values.get(b"host", ())
    return None if len(hosts) <= 1 and all(map(valid_host, hosts)) else "Host is invalid or repeated"


def parse_content_length(values: Mapping[bytes, list[bytes]]) -> int | str | None:
    """The value of Content-Length (RFC 9110 8.6), None without it, or its fault. values: as Fields has them."""
    lengths = values.get(b"content-length")
    if lengths is None:
        return None
    match = LENGTH.fullmatch(lengths[0])
    return "Content-Length is invalid or repeated" if match is None or len(lengths) > 1 else int(match[1])
