"""Names with fingerprints, and names that only look like them: fingerprints.tsv has name, verdict, origin."""

import time
from pathlib import Path

import pytest

from pwb_async.core.site.fingerprints import is_fingerprinted

NAMES = [line.split("\t") for line in Path(__file__).with_name("fingerprints.tsv").read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("name", "verdict", "origin"), NAMES)
def test_a_name(name: str, verdict: str, origin: str) -> None:
    assert is_fingerprinted(name.encode()) is (verdict == "yes"), origin


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"docs/_astro/pic.png", True),
        (b"_nuxt/builds/latest.json", False),
        (b"_nuxt/builds/meta/a.json", True),
        (b"my_astro/pic.png", False),
        (b"main.d79f6ab0dc5334b03c7a.JS", True),
        (b"d79f6ab0dc5334b03c7a/main.js", False),
        (b"3889ffb59f36971f5b58.html", False),
        (b".map", False),
        (b"", False),
    ],
)
def test_a_path(path: bytes, expected: bool) -> None:
    assert is_fingerprinted(path) is expected


def test_long_names_take_linear_time() -> None:
    start = time.process_time()
    for piece in (b"a", b"a1", b"-a1", b".aB", b"-", b".min", b"aB1_"):
        assert not is_fingerprinted(piece * (8192 // len(piece)) + b"!.js")
    assert time.process_time() - start < 0.5
