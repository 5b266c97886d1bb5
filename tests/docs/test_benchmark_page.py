"""The figures of docs/benchmark.md and of the README agree with docs/benchmark/results.json."""

import re

import pytest

from .benchmark_page import DOCS, MEMORY, PAGE, PEERS, RATIOS, WORKS, middle, page, results, shown


def test_the_figures_are_those_of_the_last_run() -> None:
    """If they are not: python -m tests.docs.benchmark_page"""
    text = PAGE.read_text()
    assert text == page(re.sub(r"(?<=[^ ] \| )[\d.,]+(?= \|)", "1", text))


def test_every_work_of_the_run_has_its_rows() -> None:
    text = PAGE.read_text()
    found = results()
    titles = {title for title, work in WORKS.items() if work in found} | set(RATIOS) | {MEMORY}
    missing = [title for title in titles if not re.search(rf"^\| {re.escape(title)} \| [\d.,]+ \|", text, re.MULTILINE)]
    assert not missing
    assert set(found) <= set(WORKS.values())
    assert len(titles) > len(RATIOS) + 8
    assert all(f"| {PEERS[peer]} " in text for peer in found["hot"] if peer in PEERS)


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
@pytest.mark.parametrize("work", ["hot", "zipf-log", "file-100k"])
def test_the_readme_has_the_same_figures(readme: str, work: str) -> None:
    text = (DOCS.parent / readme).read_text()
    for peer in ("pwb", "nginx"):
        figure = shown(middle(results()[work][peer]))
        assert re.search(rf"(?<![\d.]){re.escape(figure)}(?!\d)", text), figure
