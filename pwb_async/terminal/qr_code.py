"""A QR code as lines of a terminal, two rows of modules in each line."""

from collections.abc import Iterator
from itertools import zip_longest

_ON_WHITE = "\x1b[38;5;16;48;5;231m"
"""Black on white, whatever the colours of the terminal are: a camera needs the contrast."""
_RESET = "\x1b[0m"
_BORDER = 2
"""Light modules around the code; the standard has four, and phones read two."""
_DARK_HALVES = {(True, True): "\u2588", (True, False): "\u2580", (False, True): "\u2584", (False, False): " "}
"""The character for an upper and a lower module, of which the dark ones are drawn."""


def qr_code(text: str, *, colours: bool) -> Iterator[str]:
    """The lines of a code. Without colours the light modules are drawn, for a terminal with a dark ground."""
    import segno  # takes as long as half of a start

    rows = [
        [bool(module) for module in row] for row in segno.make(text, error="l", micro=False).matrix_iter(1, _BORDER)
    ]
    for upper, lower in zip_longest(rows[::2], rows[1::2]):
        pairs = zip(upper, lower or [False] * len(upper), strict=True)
        if colours:
            yield f"{_ON_WHITE}{''.join(_DARK_HALVES[pair] for pair in pairs)}{_RESET}"
        else:
            yield "".join(_DARK_HALVES[not above, not below] for above, below in pairs)
