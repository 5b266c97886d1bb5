"""`python -m pwb_legacy trace`: the designs side by side, in one file."""

import json
import os
import signal
from collections import defaultdict
from pathlib import Path

import pytest

from pwb_async.config.modes import MODES
from pwb_legacy.compare import option_values
from pwb_legacy.compare.report.timeline_lanes import Design, Step, designs
from pwb_legacy.compare.timeline import clients, three_clients
from tests.process import timeline

from .test_compare import begin, told


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[timeline.Event]]:
    """The events of all designs, by the design's name."""
    out = tmp_path_factory.mktemp("out") / "new"
    status, said, errors = told("trace", "--out", out)
    assert (status, errors) == (0, "")
    assert said.splitlines()[-2:] == [str(out / "trace.json"), str(out / "trace.html")]
    trace = json.loads((out / "trace.json").read_bytes())
    assert trace["otherData"]["command"] == f"python -m pwb_legacy trace --out {out}"
    names = {e["pid"]: e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "process_name"}
    events = defaultdict(list)
    for event in trace["traceEvents"]:
        events[names[event["pid"]].partition(",")[0]].append(event)
    assert list(events) == [design["name"] for design in trace["otherData"]["designs"]]
    return events


def test_the_book_s_seven_and_async(whole: dict[str, list[timeline.Event]]) -> None:
    assert list(whole) == [*MODES, "async"]


@pytest.mark.parametrize("name", [*(mode for mode in MODES if mode != "fixed"), "async"])
def test_the_play(whole: dict[str, list[timeline.Event]], name: str) -> None:
    events = whole[name]
    timeline.check(events)
    timeline.check_order(events)
    steps = timeline.steps(events)
    assert steps[0]["ts"] == 0.0
    assert {step["name"] for step in steps} >= timeline.KINDS
    accepted = [step for step in steps if step["name"] == "accept"]
    assert len(accepted) == (2 + len(clients.PAGES) if name == "single" else 3)
    lines = [step["args"]["line"] for step in steps if step["name"] == "head"]
    assert lines.count("GET /large.bin HTTP/1.1") == 1
    assert len([line for line in lines if line]) == 2 + len(clients.PAGES)
    assert sum(step["args"]["bytes"] for step in steps if step["name"] == "send") > clients.LARGE
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


@pytest.fixture(scope="module")
def lanes(whole: dict[str, list[timeline.Event]]) -> dict[str, Design]:
    return {one.name: one for events in whole.values() for one in designs(events)}


def sends_to_the_slow_reader(design: Design) -> list[Step]:
    return [
        s for lane in design.lanes if lane.kind != "client" for s in lane.steps if s.kind == "send" and s.client == 2
    ]


@pytest.mark.parametrize(
    ("name", "reason"), [("single", "reader"), ("thread", "reader"), ("process", "reader"), ("gevent", "turn")]
)
def test_a_blocked_send_does_not_look_like_a_running_one(lanes: dict[str, Design], name: str, reason: str) -> None:
    """A design that waits for the slow reader in send() does so most of the time, and uses no CPU time for it."""
    blocked = [step for step in sends_to_the_slow_reader(lanes[name]) if step.waits_for == reason]
    assert sum(step.duration for step in blocked) > 150
    assert sum(step.cpu for step in blocked) < 0.1 * sum(step.duration for step in blocked)


@pytest.mark.parametrize("name", ["epoll", "epoll-thread", "async"])
def test_a_loop_never_waits_in_send(lanes: dict[str, Design], name: str) -> None:
    assert {step.waits_for for step in sends_to_the_slow_reader(lanes[name])} <= {"", "lock", "core"}


def test_the_lock_is_named_only_where_no_call_blocks_and_threads_share_it(lanes: dict[str, Design]) -> None:
    for name, design in lanes.items():
        for step in (step for lane in design.lanes for step in lane.steps if step.waits_for == "lock"):
            assert step.kind in ("accept", "head", "locate", "send"), step
            assert name in ("thread", "epoll-thread", "async")


def test_one_greenlet_has_the_thread_also_while_it_waits_for_the_disk(lanes: dict[str, Design]) -> None:
    (running,) = [lane for lane in lanes["gevent"].lanes if lane.kind == "running"]
    finds = [s for lane in lanes["gevent"].lanes for s in lane.steps if s.kind == "find" and s.waits_for == "disk"]
    assert len(finds) >= len(clients.PAGES)
    for find in finds:
        (holder,) = [step for step in running.steps if step.begin <= find.begin and find.end <= step.end]
        assert holder.waits_for == "holds"


@pytest.mark.parametrize("name", [*(mode for mode in MODES if mode != "fixed"), "async"])
def test_a_client_is_served_when_it_has_its_last_byte(lanes: dict[str, Design], name: str) -> None:
    """The slow reader pauses 31 times, in every design; the kernel of the server took its last byte long before."""
    design = lanes[name]
    assert [lane.kind for lane in design.lanes][:3] == ["client"] * 3
    times = [design.served(client) for client in (1, 2, 3)]
    assert all(times)
    begin, end = times[1] or (0, 0)
    pauses = clients.LARGE // clients.READ_SIZE - 1
    assert end - begin >= pauses * clients.PAUSE * 1000
    assert max(step.end for step in sends_to_the_slow_reader(design)) < end
    if name == "single":
        ordinary = times[2] or (0, 0)
        assert ordinary[1] - ordinary[0] > 150, "it waits until the slow reader has been sent everything"


def test_the_file_is_in_the_trace_event_format(whole: dict[str, list[timeline.Event]]) -> None:
    """What Perfetto's importer asks of the JSON: numbers for pid and tid, microseconds, a phase, arrows with an id."""
    for event in (event for events in whole.values() for event in events):
        assert event["ph"] in "XMstfi"
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        if event["ph"] == "X":
            assert event["ts"] >= 0
            assert event["dur"] >= 0
            assert ("tdur" in event) == ("tts" in event) == (event["cat"] == "pwb") or event["name"] == "wait"
        if event["ph"] in "stf":
            assert isinstance(event["id"], int)


def test_some_designs(tmp_path: Path) -> None:
    status, said, errors = told("trace", "--modes", "async-asyncio,epoll", "--out", tmp_path)
    assert (status, errors) == (0, "")
    assert [line.partition(":")[0] for line in said.splitlines()][:2] == ["epoll", "async-asyncio"]


def test_ctrl_c_writes_the_timelines_so_far(tmp_path: Path) -> None:
    with begin("trace", "--modes", "fixed,epoll,async", "--out", tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("fixed: ")
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "pwb-legacy: stopped\n")
    assert said.splitlines()[-2:] == [str(tmp_path / "trace.json"), str(tmp_path / "trace.html")]
    trace = json.loads((tmp_path / "trace.json").read_bytes())
    names = [each["name"] for each in trace["otherData"]["designs"]]
    assert names[0] == "fixed"
    assert "async" not in names
    page = (tmp_path / "trace.html").read_text()
    assert f"It was stopped early: {len(names)} of 3 designs." in page


def test_ctrl_c_while_a_server_is_started(tmp_path: Path) -> None:
    """What is raised in a hook of fork() is lost (logging has one), so the signal has to wait."""
    stop = "import os, signal; forks = []"
    stop += "; os.register_at_fork(before=lambda: os.kill(os.getpid(), signal.SIGINT) if forks else forks.append(1))"
    status, _, errors = told("trace", "--modes", "fixed,epoll,async", "--out", tmp_path, before=stop)
    assert (status, errors) == (130, "pwb-legacy: stopped\n")
    trace = json.loads((tmp_path / "trace.json").read_bytes())
    assert [each["name"] for each in trace["otherData"]["designs"]] == ["fixed"]


def test_ctrl_c_before_the_first_design_is_done_writes_nothing(tmp_path: Path) -> None:
    stop = "import os, signal; from pwb_legacy.compare.timeline import three_clients as play"
    stop += "; play.perform = lambda *_: os.kill(os.getpid(), signal.SIGINT)"
    status, said, errors = told("trace", "--modes", "fixed", "--out", tmp_path, before=stop)
    assert (status, said, errors.strip()) == (130, "", "pwb-legacy: stopped")
    assert list(tmp_path.iterdir()) == []


def test_the_slow_disk_is_told_where_the_clients_are(tmp_path: Path) -> None:
    status, _, _ = told("trace", "--modes", "epoll", "--out", tmp_path, "--lang", "en")
    assert status == 0
    page = (tmp_path / "trace.html").read_text()
    header = page[page.index("<header>") : page.index("</header>")]
    assert "The disk takes 5 ms longer for each page." in header


def test_the_files_are_written_whatever_the_name_of_the_folder(tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"caf\xe9")
    status, said, errors = told("trace", "--modes", "epoll", "--out", out, PYTHONUTF8="1")
    assert (status, errors) == (0, "")
    assert said.endswith("caf\\udce9/trace.html\n")
    assert "caf\\udce9" in (out / "trace.html").read_text("utf-8")


def test_a_design_that_there_is_not() -> None:
    status, said, errors = told("trace", "--modes", "forked")
    assert (status, said) == (2, "")
    assert errors.startswith("pwb-legacy: --modes: no mode forked; there are fixed, single, ")
    assert errors.count("\n") == 1


def test_without_the_extra() -> None:
    status, said, errors = told("trace", "--modes", "epoll", before="import sys; sys.modules['jinja2'] = None")
    assert (status, said) == (1, "")
    assert (
        errors == "pwb-legacy: trace needs jinja2, which is not installed: pip install '.[lab]' in a checkout of PWB\n"
    )


@pytest.mark.parametrize("place", ["file/out", "file", "/proc/1", "taken"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_play(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "taken" / "trace.html").mkdir(parents=True)
    status, said, errors = told("trace", "--modes", "epoll", "--out", tmp_path / place)
    assert (status in (1, 2), said) == (True, ""), "no design has played"
    assert errors.count("\n") == 1
    assert place.partition("/")[0] in errors


def test_the_old_name_of_the_option_leads_to_the_new_one() -> None:
    status, said, errors = told("trace", "--mode", "epoll")
    assert (status, said) == (2, "")
    assert "--modes" in errors


def test_the_names_are_those_of_the_play() -> None:
    assert [design.name for design in three_clients.DESIGNS] == list(option_values.TRACED.known)
