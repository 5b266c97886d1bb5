"""Zipf's law, by which a few objects of a site are popular and most are not, and what follows from it without simulation.

The object of rank n is requested in proportion to 1 / n ** exponent, independently of the requests before it.
"""

import math
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise
from random import Random

EXACT = 1000
"""The ranks up to this one are added up one by one. Beyond it a sum is an integral, with a relative error below 1e-7."""
GROWTH = 1.01
"""The ratio of the last rank to the first one in a group of ranks whose popularity counts as the same."""


class Zipf:
    """The popularity of a number of objects, whose ranks begin at 1."""

    def __init__(self, objects: int, exponent: float) -> None:
        self.objects, self.exponent = objects, exponent
        ranks = range(1, min(objects, EXACT) + 1)
        self._sums: list[float] = [0.0, *accumulate(rank**-exponent for rank in ranks)]
        self._total = self._sum(objects)

    def share(self, ranks: int) -> float:
        """The part of all requests that asks for one of the first so many ranks."""
        return self._sum(ranks) / self._total

    def groups(self) -> Iterator[tuple[int, float]]:
        """Yield how many objects there are in each group, and the part of all requests that asks for one of them."""
        ends = list(range(min(self.objects, EXACT) + 1))
        while ends[-1] < self.objects:
            ends.append(min(self.objects, math.ceil(ends[-1] * GROWTH)))
        for before, last in pairwise(ends):
            yield last - before, (self.share(last) - self.share(before)) / (last - before)

    def ranks(self, random: Random, first: int = 1) -> Iterator[int]:
        """Draw ranks from the first on without end, by rejection-inversion, which needs no table.

        W. Hörmann, G. Derflinger, Rejection-inversion to generate variates from monotone discrete distributions, 1996.
        """
        area, place = self._area, self._place()
        low, high = area(first - 0.5), area(self.objects + 0.5)
        width, uniform, exponent = high - low, random.random, self.exponent
        while True:
            drawn = low + uniform() * width
            rank = int(place(drawn) + 0.5)
            # The area above a rank is a little larger than its weight. Beyond EXACT the difference is below 1e-7 of it.
            if rank > EXACT or drawn >= area(rank + 0.5) - rank**-exponent:
                yield rank

    def _sum(self, ranks: int) -> float:
        """The sum of the first weights."""
        if ranks < len(self._sums):
            return self._sums[ranks]
        return self._sums[-1] + self._area(ranks + 0.5) - self._area(len(self._sums) - 0.5)

    def _area(self, place: float) -> float:
        """The antiderivative of the weight, at a place on the axis of ranks."""
        if self.exponent == 1:
            return math.log(place)
        return math.pow(place, 1 - self.exponent) / (1 - self.exponent)

    def _place(self) -> Callable[[float], float]:
        """The inverse of the antiderivative."""
        if self.exponent == 1:
            return math.exp
        rest, power = 1 - self.exponent, 1 / (1 - self.exponent)
        return lambda area: math.pow(area * rest, power)


def optimum(zipf: Zipf, capacity: int) -> float:
    """The hit ratio of a cache that always holds the most popular objects: no policy has a higher one."""
    return zipf.share(min(capacity, zipf.objects))


def lru(zipf: Zipf, capacity: int) -> float:
    """The hit ratio of a cache that drops what was used longest ago, by the approximation of Che.

    An object stays for a time that is the same for all; in it as many objects are used as there is room for.
    C. Fricker, P. Robert, J. Roberts, A versatile and accurate approximation for LRU cache performance, 2012.
    """
    if capacity >= zipf.objects:
        return 1.0
    groups = list(zipf.groups())

    def used_within(time: float) -> float:
        return sum(count * -math.expm1(-each * time) for count, each in groups)

    time = root(used_within, capacity)
    return sum(count * each * -math.expm1(-each * time) for count, each in groups)


def asked_again(zipf: Zipf, rate: float, ttl: float) -> float:
    """Requests a second to a store by a node that gets `rate` and believes for `ttl` seconds what the store has said.

    An object is asked for by the first request after that time. Nothing is dropped for want of space.
    """
    return sum(count * (rate * each) / (1 + rate * each * ttl) for count, each in zipf.groups())


def root(function: Callable[[float], float], value: float) -> float:
    """Where an increasing function has a value: between 0 and the first power of two at which it has more."""
    low, high = 0.0, 1.0
    while function(high) < value:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < value else (low, middle)
    return high
