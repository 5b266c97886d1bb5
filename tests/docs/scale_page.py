"""Writes the tables and figures of docs/scale.md from the results in docs/benchmark: python -m tests.docs.scale_page

What stands between `<!-- NAME -->` and `<!-- end -->` is written by the function of that name in scale_words.py.
"""

import json
import re
from pathlib import Path
from typing import Final

from tests.benchmarks.hit_ratio import Result
from tests.benchmarks.report import Report, from_json

from . import scale_words
from .benchmark_page import DOCS

PAGE: Final = DOCS / "scale.md"
_BLOCK: Final = re.compile(r"(?<=<!-- )(?!end )(\w+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def figures(folder: Path = DOCS / "benchmark") -> scale_words.Figures:
    """The results of the last runs."""

    def report(name: str) -> Report:
        return from_json((folder / f"{name}.json").read_text())

    hits, whole = (json.loads((folder / f"{name}.json").read_text()) for name in ("hit-ratio", "hit-ratio-whole"))
    return scale_words.Figures(
        report("results"),
        report("tls"),
        report("stores"),
        *([Result(**row) for row in found["results"]] for found in (hits, whole)),
        hits["conditions"],
    )


def page(text: str) -> str:
    """The page with the figures of the last runs."""
    found = figures()
    return _BLOCK.sub(lambda match: f"{match[1]}{match[2]}{getattr(scale_words, match[1])(found)}\n", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
