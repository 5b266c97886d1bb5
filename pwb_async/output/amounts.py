"""Sizes and durations in few columns, as people read them."""

from typing import Final

_UNITS: Final = ("KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024
_MOST: Final = 999.95
"""An amount from which the next unit is used: with one decimal it would have four digits before the point."""


def size_text(count: float) -> str:
    """A number of bytes in at most nine characters: "512 B", "12.3 KiB"."""
    if count < _MOST:
        return f"{count:.0f} B"
    exponent = 1
    while exponent < len(_UNITS) and count / _STEP**exponent >= _MOST:
        exponent += 1
    return f"{count / _STEP**exponent:.1f} {_UNITS[exponent - 1]}"


def duration_text(seconds: float) -> str:
    """Seconds in at most six characters: "12 ms", "1.2 s", "75 s"."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 99.95 else f"{seconds:.0f} s"
