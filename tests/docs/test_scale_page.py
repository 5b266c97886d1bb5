"""The figures of docs/scale.md are those of the results in docs/benchmark, and those are what the simulation gives."""

import re
from dataclasses import replace

import pytest

from tests.benchmarks.hit_ratio import EXPONENTS, NODES, OBJECTS, SEED, SHARES, Result, measure

from . import scale_words
from .scale_page import PAGE, figures, page

FIGURES = figures()


def found(exponent: float, share: float, nodes: int) -> Result:
    return next(each for each in FIGURES.hits if (each.exponent, each.share, each.nodes) == (exponent, share, nodes))


def test_the_figures_are_those_of_the_last_runs() -> None:
    """If they are not: python -m tests.docs.scale_page"""
    text = PAGE.read_text()
    empty = re.sub(r"(<!-- (?!end )\w+ -->\n).*?(?=<!-- end -->)", r"\1", text, flags=re.DOTALL)
    assert len(empty) < len(text) / 1.3
    assert page(empty) == text


def test_the_table_has_every_hit_ratio() -> None:
    assert FIGURES.simulated["objects"] == OBJECTS
    assert not FIGURES.simulated["whole"]
    text = scale_words.hits(FIGURES)
    for exponent in EXPONENTS:
        line = next(line for line in text.splitlines() if line.startswith(f"| {exponent} |"))
        cells = [float(cell) for cell in re.findall(r"[\d.]+", line)[1:]]
        wanted = [100 * found(exponent, share, nodes).hit_ratio for share in SHARES for nodes in NODES]
        assert cells == pytest.approx(wanted, abs=0.051)


@pytest.mark.parametrize("nodes", NODES)
def test_the_simulation_gives_the_results(nodes: int) -> None:
    """If it does not, the cache has changed: python -m tests.benchmarks.hit_ratio --out docs/benchmark"""
    again = measure(1.1, 0.0001, nodes, OBJECTS, False, SEED)
    assert again.hit_ratio == pytest.approx(found(1.1, 0.0001, nodes).hit_ratio, abs=0.002)


def test_the_arithmetic() -> None:
    """By hand: a response of 12,321 bytes in 8 us on 10 Gbit/s, of which 1448 / 1538 are content."""
    stores = replace(FIGURES.stores, tables=[replace(table) for table in FIGURES.stores.tables])
    (table,) = (table for table in stores.tables if table.work == "zipf-log")
    (row,) = (row for row in table.rows if row.peer == "pwb")
    table.rows = [replace(row, samples=[replace(row.samples[0], value=8.0, bytes_per_response=12_321)])]
    text = scale_words.network(
        replace(FIGURES, stores=stores, peers=replace(FIGURES.peers, tables=[table, *FIGURES.peers.tables]))
    )
    first = [cell.strip() for cell in text.splitlines()[2].split("|")]
    assert first[1:4] == ["10 Gbit/s", "95,500", "0.8"]
    assert first[7] == "10 Tbit/s, 96 million"
