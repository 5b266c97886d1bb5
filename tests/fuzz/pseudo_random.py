"""Choices of a target that depend on nothing but its input."""

from itertools import pairwise
from zlib import crc32


class PseudoRandom:
    """Pseudo-random numbers that depend only on the input: a linear congruential generator, cheap to start."""

    def __init__(self, data: bytes) -> None:
        self._state = crc32(data) << 17 | len(data)

    def below(self, bound: int) -> int:
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        return (self._state >> 33) % bound


def cut(data: bytes, random: PseudoRandom) -> list[bytes]:
    """`data` in up to nine pieces, none of them empty, since that would be the end of the input."""
    places = {random.below(len(data) + 1) for _ in range(random.below(9))}
    bounds = [0, *sorted(places - {0, len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(bounds) if start < end]
