"""The encoders of the content codings, the levels at which they are used, and a check of what was encoded.

The libraries are imported when they are first needed, so that a server does not wait for them when it starts.
"""

import sys
from collections.abc import Callable
from typing import Any, Final

ZSTD_MODULE: Final = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
MODULES: Final = ("brotli", "zlib", ZSTD_MODULE)
"""What is imported on first use."""
FAST_LEVELS: Final = {b"br": 5, b"zstd": 3, b"gzip": 6}
"""For content that a client waits for. 436 KB of minified JavaScript take 6.3, 1.2 and 8.6 ms and become 23.7, 26.3 and
25.3 % of that; zstd 6 takes 3.4 ms, to 24.2 %. Of 316 KB, br 9 took 22 instead of 4.6 ms for 0.6 % less, and br 4 saved
1.7 ms for 1.7 % more."""
BEST_LEVELS: Final = {b"br": 11, b"zstd": 19, b"gzip": 9}
"""For files that are compressed ahead of time: br takes 364 ms there, to 22.0 %, zstd 69 ms, to 23.6 %."""
_ZSTD_WINDOW_LOG: Final = 23
"""The largest window that a decoder of the coding zstd has to support has 8 MiB (RFC 9659 3)."""


def encode(content: bytes, coding: bytes, level: int) -> bytes:
    """The content with a coding. Equal arguments give equal bytes, as long as the library's version is the same."""
    return _ENCODERS[coding](content, level)


def decodes_to(coded: bytes, coding: bytes, content: bytes) -> bool:
    """Whether the decoded form of `coded` is the content. No more is decoded than the content has, and a byte."""
    return _DECODERS[coding](coded, len(content) + 1) == content


def _br(content: bytes, level: int) -> bytes:
    import brotli

    coded: bytes = brotli.compress(content, quality=level)
    return coded


def _zstd(content: bytes, level: int) -> bytes:
    zstd = _zstd_module()
    parameter = zstd.CompressionParameter
    window = min(parameter.window_log.bounds()[1], _ZSTD_WINDOW_LOG)
    options: dict[int, int] = {parameter.compression_level: level}
    if len(content) > 1 << window:
        options[parameter.window_log] = window
    coded: bytes = zstd.compress(content, options=options)
    return coded


def _zstd_module() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def _gzip(content: bytes, level: int) -> bytes:
    import zlib

    return zlib.compress(content, level, wbits=31)  # with the header of gzip, whose time is 0


def _decode_br(coded: bytes, limit: int) -> bytes | None:
    import brotli

    decoder = brotli.Decompressor()
    try:
        decoded: bytes = decoder.process(coded, output_buffer_limit=limit)
    except brotli.error:
        return None
    return decoded if decoder.is_finished() else None


def _decode_zstd(coded: bytes, limit: int) -> bytes | None:
    zstd = _zstd_module()
    return _decode_frames(zstd.ZstdDecompressor, zstd.ZstdError, coded, limit)


def _decode_gzip(coded: bytes, limit: int) -> bytes | None:
    import zlib

    return _decode_frames(lambda: zlib.decompressobj(wbits=31), zlib.error, coded, limit)


def _decode_frames(make: Callable[[], Any], error: type[Exception], coded: bytes, limit: int) -> bytes | None:
    """What frames or members, one after the other, decode to; None if they are damaged, cut short or too long."""
    decoded = b""
    try:
        while coded and len(decoded) < limit:
            decoder = make()
            decoded += decoder.decompress(coded, limit - len(decoded))
            if not decoder.eof:
                return None
            coded = decoder.unused_data
    except error:
        return None
    return decoded


_DECODERS: Final = {b"br": _decode_br, b"zstd": _decode_zstd, b"gzip": _decode_gzip}
_ENCODERS: Final = {b"br": _br, b"zstd": _zstd, b"gzip": _gzip}
