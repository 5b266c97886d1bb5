"""The figures of docs/benchmark.md and of the README agree with docs/benchmark/results.json."""

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "benchmark.md").read_text()
RESULTS: dict[str, Any] = json.loads((ROOT / "docs" / "benchmark" / "results.json").read_text())
PEERS = ("pwb", "nginx", "caddy", "granian", "aiohttp", "starlette")
"""The columns of the first table, by their names in the results."""
WORKS = {
    "1 KiB, hot": "hot",
    "the same, 304": "not-modified",
    "206, 1,000 bytes of 100 KiB": "range",
    "1,000 files of 12 KiB, log on": "zipf-log",
    "100 KiB": "file-100k",
    "1 MiB": "file-1m",
    "100 MiB": "file-100m",
    "1 KiB, a new connection each": "new-connection",
    "1,000 files, PWB with `--cache off`": "zipf-cache-off",
    "start to first answer, ms": "startup",
    "an idle connection, bytes": "idle-memory",
}
"""The rows of the first table, and their names in the results."""
RATIOS = {
    "1 KiB": "hot",
    "304": "not-modified",
    "206": "range",
    "1,000 files, log": "zipf-log",
    "100 KiB": "file-100k",
    "1 MiB": "file-1m",
    "100 MiB": "file-100m",
    "a new connection": "new-connection",
}
"""The rows of the second table, and their names in the results."""


def row(title: str, columns: int) -> list[float | None]:
    """The numbers of a row of the page; None where the page has a dash."""
    cells = r" ([^|]+) \|" * columns
    found = re.search(rf"^\| {re.escape(title)} \|{cells}$", PAGE, re.MULTILINE)
    assert found, title
    return [number(cell) for cell in found.groups()]


def number(cell: str) -> float | None:
    """The number at the beginning of a cell."""
    found = re.match(r"[\d.,]+", cell)
    return float(found[0].replace(",", "")) if found else None


def samples(work: str, peer: str) -> list[float]:
    """The figures of all rounds."""
    table = next(table for table in RESULTS["tables"] if table["work"] == work)
    rows = [row for row in table["rows"] if row["peer"] == peer]
    return [sample["value"] for sample in rows[0]["samples"]] if rows else []


@pytest.mark.parametrize("title", WORKS)
def test_a_row_is_the_median_of_its_rounds(title: str) -> None:
    for peer, shown in zip(PEERS, row(title, len(PEERS)), strict=True):
        measured = samples(WORKS[title], peer)
        assert (shown is None) == (not measured), peer
        if measured:
            assert shown == pytest.approx(median(measured), rel=0.006), peer


def test_memory_is_that_of_the_thousand_files() -> None:
    table = next(table for table in RESULTS["tables"] if table["work"] == "zipf-log")
    found = {each["peer"]: each["memory_bytes"] / (1 << 20) for each in table["rows"]}
    assert row("memory under the 1,000 files, MiB", len(PEERS)) == pytest.approx(
        [found[peer] for peer in PEERS], rel=0.006
    )


@pytest.mark.parametrize("title", RATIOS)
def test_a_ratio_is_the_median_of_those_of_its_rounds(title: str) -> None:
    pairs = zip(samples(RATIOS[title], "pwb"), samples(RATIOS[title], "nginx"), strict=True)
    assert row(title, 2)[0] == pytest.approx(median(mine / its for mine, its in pairs), abs=0.006)


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
@pytest.mark.parametrize("work", ["hot", "zipf-log", "file-100k"])
def test_the_readme_has_the_same_figures(readme: str, work: str) -> None:
    text = (ROOT / readme).read_text()
    title = next(title for title, name in WORKS.items() if name == work)
    for shown in row(title, len(PEERS))[:2]:
        assert re.search(rf"(?<![\d.]){shown:.3g}0?(?![\d])", text), shown
