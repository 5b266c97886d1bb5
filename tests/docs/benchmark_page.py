"""Writes the figures of docs/benchmark.md from the results beside it: python -m tests.docs.benchmark_page

Those of benchmark/results.json are the first table with its conditions, and the ratios of that run in the second one;
those of benchmark/growth.json are in the paragraphs below the curves, those of benchmark/compression.json, tls.json and
http2.json in the sections about these. A peer or a work that the run did not have is left out of the first table; a dash
is a work that a peer could not do.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.benchmarks.report import from_json

from . import benchmark_words

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "benchmark.md"
PEERS: Final = {
    "pwb": "PWB",
    "nginx": "nginx",
    "caddy": "Caddy",
    "granian": "Granian",
    "eggserve": "eggserve",
    "aiohttp": "aiohttp",
    "starlette": "Starlette",
    "hypercorn": "Hypercorn",
}
"""The columns, by their names in the results."""
WORKS: Final = {
    "1 KiB, hot": "hot",
    "the same, 304": "not-modified",
    "206, 1,000 bytes of 100 KiB": "range",
    "1,000 files of 12 KiB, log on": "zipf-log",
    "100,000 files of 4 KiB": "long-tail",
    "100 KiB": "file-100k",
    "1 MiB": "file-1m",
    "100 MiB": "file-100m",
    "1 KiB, a new connection each": "new-connection",
    "the same, 10,000 clients, 100 ms between requests": "paced-connections",
    "1,000 files, PWB with `--cache off`": "zipf-cache-off",
    "start to first answer, ms": "startup",
    "an idle connection, bytes": "idle-memory",
}
"""The rows, and their names in the results."""
RATIOS: Final = {
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
MEMORY: Final = "memory under the 1,000 files, MiB"
"""The last row."""
DASH: Final = "\N{EN DASH}"
MIB: Final = 1 << 20
_BLOCK: Final = r"(?<=<!-- {} -->\n).*?(?=<!-- end -->)"
_TABLE: Final = re.compile(r"(?<=\n\n)\|  \| PWB \|.*?(?=\n\n)", re.DOTALL)

Row = dict[str, Any]
"""One peer at one work, as it is in the results."""


def results() -> dict[str, dict[str, Row]]:
    """The rows of the last run that have figures: for each work, for each peer."""
    tables = json.loads((DOCS / "benchmark" / "results.json").read_text())["tables"]
    return {table["work"]: {row["peer"]: row for row in table["rows"] if row["samples"]} for table in tables}


def middle(row: Row) -> float:
    """The median of its rounds."""
    return float(median(sample["value"] for sample in row["samples"]))


def ratio(rows: dict[str, Row]) -> float:
    """PWB's figure divided by nginx's: that of each round, then the median of those."""
    pairs = zip(rows["pwb"]["samples"], rows["nginx"]["samples"], strict=True)
    return float(median(mine["value"] / its["value"] for mine, its in pairs))


def table(found: dict[str, dict[str, Row]]) -> str:
    """The table, in Markdown."""
    peers = [peer for peer in PEERS if any(peer in rows for rows in found.values())]

    def line(title: str, work: str, figure: Callable[[Row], float]) -> str:
        rows = found[work]
        return "| ".join(
            [f"| {title} ", *(f"{shown(figure(rows[peer])) if peer in rows else DASH} " for peer in peers)]
        )

    lines = [line(title, work, middle) for title, work in WORKS.items() if work in found]
    lines.append(line(MEMORY, "zipf-log", lambda row: row["memory_bytes"] / MIB))
    names = " | ".join(PEERS[peer] for peer in peers)
    return "\n".join([f"|  | {names} |", f"| --- |{' ---: |' * len(peers)}", *(f"{line}|" for line in lines)])


def shown(value: float) -> str:
    """A figure with three digits, or all of those before the point."""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:#.3g}".rstrip(".")


def page(text: str) -> str:
    """The page with the figures of the last run."""
    found = results()
    text = _replace(_TABLE, table(found), text)
    for title, work in RATIOS.items():
        cell = re.compile(rf"(?<=^\| {title} \| )[\d.]+(?= \| [^|]+ \|$)", re.MULTILINE)
        text = cell.sub(f"{ratio(found[work]):.2f}", text)
    paragraphs = {
        "results": benchmark_words.peers,
        "growth": benchmark_words.growth,
        "compression": benchmark_words.compression,
        "tls": benchmark_words.tls,
        "http2": benchmark_words.http2,
    }
    for name, words in paragraphs.items():
        report = from_json((DOCS / "benchmark" / f"{name}.json").read_text())
        report.versions = {peer: version for peer, version in report.versions.items() if peer in PEERS}
        text = _replace(re.compile(_BLOCK.format(name), re.DOTALL), f"{words(report)}\n", text)
    return text


def _replace(what: re.Pattern[str], by: str, text: str) -> str:
    return what.sub(lambda _: by, text, count=1)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
