"""How much colours differ, for the usual eye and for the three kinds of colour blindness."""

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Final, TypeAlias

Triple: TypeAlias = tuple[float, float, float]
EYES: Final[dict[str, tuple[Triple, Triple, Triple]]] = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""What an eye makes of linear red, green and blue (Machado, Oliveira and Fernandes, 2009)."""


def closest(colours: Mapping[str, str]) -> tuple[float, tuple[str, str, str]]:
    """The smallest distance of two colours (#rrggbb) in Oklab, where black and white have 1; the two, and the eye."""
    return min(
        (math.dist(_oklab(colours[one], eye), _oklab(colours[two], eye)), (one, two, eye))
        for one, two in combinations(colours, 2)
        for eye in EYES
    )


def _oklab(colour: str, eye: str) -> Triple:
    linear = [_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5)]
    red, green, blue = (sum(map(float.__mul__, map(float, row), linear)) for row in EYES[eye])
    long = _root(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = _root(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = _root(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short,
    )


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _root(value: float) -> float:
    return max(0.0, value) ** (1 / 3)
