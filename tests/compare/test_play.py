"""`python -m pwb_legacy trace`: the designs side by side, in one file."""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from pwb_legacy.compare import commands
from pwb_legacy.compare.timeline import three_clients as play
from tests.process import timeline

from .test_compare import told


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[timeline.Event]]:
    """The events of all designs, by the design's name."""
    out = tmp_path_factory.mktemp("out") / "new"
    status, said, errors = told("trace", "--out", out)
    assert (status, errors) == (0, "")
    assert said.splitlines()[-2:] == [str(out / "trace.json"), str(out / "trace.html")]
    trace = json.loads((out / "trace.json").read_bytes())
    assert trace["otherData"]["command"] == f"python -m pwb_legacy trace --out {out}"
    assert (out / "trace.html").read_text().count("<svg") >= len(trace["otherData"]["designs"])
    names = {e["pid"]: e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "process_name"}
    events = defaultdict(list)
    for event in trace["traceEvents"]:
        events[names[event["pid"]].partition(",")[0]].append(event)
    assert list(events) == [design["name"] for design in trace["otherData"]["designs"]]
    return events


def test_the_book_s_seven_and_async(whole: dict[str, list[timeline.Event]]) -> None:
    book = ["fixed", "single", "thread", "process", "gevent", "epoll", "epoll-thread"]
    assert list(whole) == [*book, "async"]


@pytest.mark.parametrize("name", ["single", "thread", "process", "gevent", "epoll", "epoll-thread", "async"])
def test_the_play(whole: dict[str, list[timeline.Event]], name: str) -> None:
    events = whole[name]
    timeline.check(events)
    timeline.check_order(events)
    steps = timeline.steps(events)
    assert steps[0]["ts"] == 0.0
    assert {step["name"] for step in steps} >= timeline.KINDS
    accepted = [step for step in steps if step["name"] == "accept"]
    assert len(accepted) == (2 + len(play.PAGES) if name == "single" else 3)
    lines = [step["args"]["line"] for step in steps if step["name"] == "head"]
    assert lines.count("GET /large.bin HTTP/1.1") == 1
    assert len([line for line in lines if line]) == 2 + len(play.PAGES)
    assert sum(step["args"]["bytes"] for step in steps if step["name"] == "send") > play.LARGE
    assert any(step["dur"] >= 5000.0 for step in steps if step["name"] == "find"), "the disk takes a moment"


def test_who_waits_for_the_disk(whole: dict[str, list[timeline.Event]]) -> None:
    def lanes(name: str, kind: str) -> set[tuple[int, int]]:
        return {(step["pid"], step["tid"]) for step in timeline.steps(whole[name], kind)}

    for name in ("single", "epoll"):
        assert lanes(name, "find") == lanes(name, "accept"), "the one thread that there is"
    for name in ("thread", "process", "gevent"):
        assert len(lanes(name, "find")) == 3, "a lane for each client"
        assert not lanes(name, "find") & lanes(name, "accept")
    for name in ("epoll-thread", "async"):
        assert not lanes(name, "find") & lanes(name, "send"), "not the loop"


def test_some_designs(tmp_path: Path) -> None:
    status, said, errors = told("trace", "--mode", "async-asyncio", "--mode", "epoll", "--out", tmp_path)
    assert (status, errors) == (0, "")
    assert [line.partition(":")[0] for line in said.splitlines()][:2] == ["epoll", "async-asyncio"]


def test_the_files_are_written_whatever_the_name_of_the_folder(tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"caf\xe9")
    status, said, errors = told("trace", "--mode", "epoll", "--out", out, PYTHONUTF8="1")
    assert (status, errors) == (0, "")
    assert said.endswith("caf\\udce9/trace.html\n")
    assert "caf\\udce9" in (out / "trace.html").read_text("utf-8")


def test_a_design_that_there_is_not() -> None:
    status, said, errors = told("trace", "--mode", "forked")
    assert (status, said) == (2, "")
    assert errors.startswith("pwb-legacy: Invalid value for '--mode': 'forked' is not one of")
    assert errors.count("\n") == 1


def test_without_the_extra() -> None:
    status, said, errors = told("trace", "--mode", "epoll", before="import sys; sys.modules['jinja2'] = None")
    assert (status, said) == (1, "")
    assert errors == "pwb-legacy: trace needs jinja2, which is not installed: pip install 'pwb[lab]'\n"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, said, errors = told("trace", "--mode", "epoll", "--out", tmp_path / "file" / "out")
    assert (status, said) == (1, "")
    assert errors.count("\n") == 1
    assert "Not a directory" in errors


def test_the_names_are_those_of_the_play() -> None:
    assert tuple(design.name for design in play.DESIGNS) == commands.TRACED
