"""The simulation of hit ratios, against what is known of them exactly or nearly so."""

import json
import math
import re
from collections import Counter
from itertools import islice, permutations
from pathlib import Path
from random import Random
from statistics import mean

import pytest

from pwb_async.storage.object_store.table import Table

from .hit_ratio import Node, by_uri, main, measure, simulate
from .popularity import Zipf, asked_again, lru, optimum


def ratio(zipf: Zipf, capacity: int, nodes: int = 1, balance: object = None) -> float:
    balance = balance or by_uri(nodes)
    return mean(simulate(zipf, capacity, balance, nodes, Random(1))[0])  # type: ignore[arg-type]


def lru_by_requests(zipf: Zipf, capacity: int, requests: int) -> float:
    """The hit ratio of the table of object_store, which drops what was used longest ago."""
    table = Table[int, None](math.inf, 0, capacity)
    draw, found = zipf.ranks(Random(1)), 0
    for number in range(-requests, requests):
        rank = next(draw)
        if table.get(rank) is None:
            table.put(rank, None)
        elif number >= 0:
            found += 1
    return found / requests


@pytest.mark.parametrize("exponent", [0.0, 0.6, 1.0, 1.1])
@pytest.mark.parametrize("first", [1, 4])
def test_ranks_are_drawn_as_often_as_their_popularity(exponent: float, first: int) -> None:
    zipf, draws = Zipf(20, exponent), 100_000
    found = Counter(islice(zipf.ranks(Random(1), first), draws))
    rest = 1 - zipf.share(first - 1)
    assert set(found) == set(range(first, 21))
    for rank, times in found.items():
        expected = (zipf.share(rank) - zipf.share(rank - 1)) / rest * draws
        assert abs(times - expected) < 5 * math.sqrt(expected), rank


@pytest.mark.parametrize("exponent", [0.6, 1.0, 1.1])
def test_sums_are_those_of_single_weights(exponent: float) -> None:
    zipf = Zipf(30_000, exponent)
    weights = [rank**-exponent for rank in range(1, 30_001)]
    for ranks in (0, 1, 999, 1000, 1001, 20_000, 30_000):
        assert zipf.share(ranks) == pytest.approx(sum(weights[:ranks]) / sum(weights), rel=1e-7)
    groups = list(zipf.groups())
    assert sum(objects for objects, _ in groups) == 30_000
    assert sum(objects * each for objects, each in groups) == pytest.approx(1)


def test_where_all_objects_are_as_popular_the_hit_ratio_is_the_part_that_is_cached() -> None:
    """Whatever the policy: which objects are there says nothing about the next request."""
    zipf = Zipf(2000, 0.0)
    for capacity in (20, 500, 1900):
        assert ratio(zipf, capacity) == pytest.approx(capacity / 2000, abs=0.01)
        assert lru(zipf, capacity) == pytest.approx(capacity / 2000, abs=1e-6)


def test_a_cache_with_room_for_all_has_all() -> None:
    zipf = Zipf(12, 0.5)
    assert ratio(zipf, 12) == lru(zipf, 12) == optimum(zipf, 12) == 1


def test_lru_of_a_tiny_site_is_exact() -> None:
    """W. F. King, Analysis of demand paging algorithms, 1971: by the order in which objects were used last."""
    zipf = Zipf(5, 0.8)
    popularity = [zipf.share(rank) - zipf.share(rank - 1) for rank in range(1, 6)]
    exact = 0.0
    for kept in permutations(popularity, 2):
        exact += kept[0] * kept[1] / (1 - kept[0]) * sum(kept)
    assert lru_by_requests(zipf, 2, 100_000) == pytest.approx(exact, abs=0.005)
    assert lru(zipf, 2) == pytest.approx(exact, abs=0.03), "Che's approximation is rough for tiny caches"


@pytest.mark.parametrize("exponent", [0.6, 1.0, 1.1])
def test_lru_by_requests_agrees_with_the_approximation(exponent: float) -> None:
    zipf = Zipf(20_000, exponent)
    assert lru_by_requests(zipf, 500, 50_000) == pytest.approx(lru(zipf, 500), abs=0.007)


@pytest.mark.parametrize("exponent", [0.6, 0.8, 1.1])
def test_the_cache_lies_between_lru_and_the_optimum(exponent: float) -> None:
    zipf = Zipf(100_000, exponent)
    assert lru(zipf, 1000) < ratio(zipf, 1000) < optimum(zipf, 1000)


def test_three_nodes() -> None:
    """Requests to any node: the hit ratio of one. By URI: that of one node with three times the room."""
    zipf, random = Zipf(30_000, 0.8), Random(2)
    any_node = ratio(zipf, 900, 3, lambda key: random.randrange(3))
    assert any_node == pytest.approx(ratio(zipf, 900), abs=0.01)
    by_name = ratio(zipf, 900, 3)
    assert by_name == pytest.approx(ratio(zipf, 2700), abs=0.02)
    assert by_name > any_node + 0.05


def test_ranks_that_are_one_object_change_little() -> None:
    zipf = Zipf(1_000_000, 0.9)
    grouped = mean(simulate(zipf, 10_000, by_uri(1), 1, Random(1), 10)[0])
    assert grouped == pytest.approx(ratio(zipf, 10_000), abs=0.01)


def test_a_store_is_asked_again() -> None:
    """Of one object once in the time for which the answer is believed, and in the mean time until the next request."""
    one = Zipf(1, 1.0)
    assert asked_again(one, 100, 10) == pytest.approx(1 / (10 + 1 / 100))
    assert asked_again(one, 100, 0) == 100
    zipf, random = Zipf(200, 0.8), Random(1)
    draw, known, asked, now = zipf.ranks(Random(2)), dict[int, float](), 0, 0.0
    while now < 2000:
        now += random.expovariate(50)
        rank = next(draw)
        if known.get(rank, -math.inf) + 10 < now:
            known[rank] = now
            asked += 1
    assert asked / now == pytest.approx(asked_again(zipf, 50, 10), rel=0.02)


def test_the_same_seed_gives_the_same_result() -> None:
    first, again = (measure(0.8, 0.01, 3, 20_000, False, 7) for _ in range(2))
    other = measure(0.8, 0.01, 3, 20_000, False, 8)
    assert first == again != other
    assert abs(first.hit_ratio - other.hit_ratio) < 8 * (first.error + other.error)


def test_a_use_counts_as_it_does_in_the_server() -> None:
    node = Node(10)
    assert [node.request(b"a", 1), node.request(b"a", 2), node.request(b"b", 3)] == [False, True, False]


def test_the_command_writes_a_table_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--objects", "20000", "--exponents", "0.8", "1.0", "--shares", "0.01", "0.1", "--processes", "1"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["exponent", "1.00%", "x1", "1.00%", "x3", "10.00%", "x1", "10.00%", "x3"]
    assert [line.split()[0] for line in lines[1:]] == ["0.8", "1.0"]
    found = json.loads((tmp_path / "hit-ratio.json").read_text())
    assert len(found["results"]) == 8
    assert found["conditions"]["objects"] == 20_000
    assert set(re.findall(r">(1\.0[^<]*)</text>", (tmp_path / "hit-ratio.svg").read_text())) == {
        "1.0",
        "1.0, 3 nodes by URI",
    }
