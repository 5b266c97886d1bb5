"""`python -m pwb_legacy compare`, as people start it: what it writes, what it says, how it is stopped."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from pwb_legacy.compare.load import Tally
from pwb_legacy.compare.measure import rates
from pwb_legacy.compare.measure import sample_site as site
from pwb_legacy.compare.measure.rates import MAX_RATE, MIN_RATE, Rate, common_rate
from pwb_legacy.compare.measure.results import Measurement, Results
from pwb_legacy.compare.measure.rounds import Bench, find_rates, measure
from pwb_legacy.compare.measure.running_server import RunningServer
from pwb_legacy.compare.measure.scenarios import FEW, SCENARIOS, Scenario
from pwb_legacy.compare.measure.servers import CONTESTANTS, Contestant
from pwb_legacy.compare.option_values import SCENARIO_NAMES
from tests.conformance.server import REPOSITORY, environment
from tests.conformance.strace import needs_strace

EPOLL = next(one for one in CONTESTANTS if one.name == "epoll")
KEPT = next(one for one in SCENARIOS if one.name == "kept")


def begin(*words: str | Path, before: str = "pass", **variables: str) -> "subprocess.Popen[str]":
    """The command. before: Python that is run first. variables: of its environment."""
    program = f"{before}; from pwb_legacy.__main__ import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(os.fspath, words)],
        env=environment() | variables,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
    )


def told(*words: str | Path, before: str = "pass", **variables: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command."""
    with begin(*words, before=before, **variables) as process:
        output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


def read(folder: Path) -> Results:
    return Results.from_json((folder / "compare.json").read_text())


def command_lines() -> list[str]:
    """Command lines of all processes."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return lines


def serving(root: Path) -> list[str]:
    """Command lines of processes that serve a folder."""
    return [line for line in command_lines() if f"{root} --port" in line]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, str, str]:
    """A quick run of two designs and two scenarios: its results, what it said, its page."""
    out = tmp_path_factory.mktemp("out") / "new"
    status, said, errors = told(
        "compare", "--quick", "--modes", "thread,epoll", "--scenarios", "kept,crowd", "--out", out
    )
    assert (status, errors) == (0, "")
    return read(out), said, (out / "compare.html").read_text()


def test_every_design_is_measured_in_every_scenario(quick: tuple[Results, str, str]) -> None:
    results, _, _ = quick
    assert {(one.design, one.scenario) for one in results.measurements} == {
        (design, scenario) for design in ("thread", "epoll") for scenario in ("kept", "crowd")
    }
    for one in results.measurements:
        assert one.why is None
        assert one.requests > 0
        assert one.failures == 0
        assert one.rate is not None
        assert one.rate > 0
        assert one.cpu_us is not None
        assert one.cpu_us > 0
        assert one.processes == 1


def test_a_percentile_is_given_where_the_requests_carry_it(quick: tuple[Results, str, str]) -> None:
    results, _, _ = quick
    for one in results.measurements:
        assert one.histogram is not None
        n = Tally.from_json(Tally().to_json() | {"histogram": one.histogram}).histogram.get_total_count()
        assert n == one.requests
        for name, least in (("p50_ms", 20), ("p90_ms", 100), ("p99_ms", 1000)):
            assert (getattr(one, name) is not None) == (n >= least)
            assert (one.missing.get(name) == "too_few") == (n < least)


def test_what_a_connection_costs(quick: tuple[Results, str, str]) -> None:
    results, _, _ = quick
    (thread,), (epoll,) = results.of("thread", "crowd"), results.of("epoll", "crowd")
    assert thread.threads is not None
    assert thread.threads > 200
    assert epoll.threads == 1
    assert thread.memory_per_connection_kib is not None
    assert epoll.memory_per_connection_kib is not None
    assert thread.memory_per_connection_kib > epoll.memory_per_connection_kib


def test_the_conditions_and_the_equality_are_kept(quick: tuple[Results, str, str]) -> None:
    results, _, _ = quick
    assert results.about.command.startswith("python -m pwb_legacy compare --quick")
    assert (results.about.rounds, results.about.interrupted) == (1, False)
    assert results.equal.requests > 100
    assert results.equal.differences == []


def test_the_number_of_idle_clients_is_on_the_page(quick: tuple[Results, str, str]) -> None:
    results, _, page = quick
    assert {one.name: one.details for one in results.scenarios}["crowd"]["idle"] == "200"
    assert "Idle clients: 200. Meanwhile 8 other clients ask for a page." in page


def test_what_is_said_has_a_line_for_each_measurement(quick: tuple[Results, str, str]) -> None:
    _, said, _ = quick
    assert sum(line.startswith("round 1") for line in said.splitlines()) == 4
    assert "answered alike by all 2 designs" in said


def test_the_page_is_whole(quick: tuple[Results, str, str]) -> None:
    results, _, page = quick
    assert page.rstrip().endswith("</html>")
    for design in results.designs:
        assert design.name in page


def test_ctrl_c_keeps_what_was_measured_and_leaves_nobody_behind(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir()
    (root / "page.html").write_text("a page")
    process = begin(
        "compare", root, "--modes", "epoll,process", "--scenarios", "kept", "--rounds", "100", "--out", tmp_path
    )
    with process:
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("round 1"):
            assert line, process.communicate()
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "pwb-legacy: stopped\n")
    assert f"{tmp_path}/compare.html has the pictures" in said
    for design in ("epoll", "process"):
        assert re.search(rf"^{design} +\S+$", said, re.MULTILINE), "no cell is blank: x is not measured"
    results = read(tmp_path)
    assert results.about.interrupted
    assert 1 <= len(results.measurements) < 200
    assert (tmp_path / "compare.html").exists()
    assert serving(root) == []


def test_ctrl_c_before_anything_is_measured_writes_nothing(tmp_path: Path) -> None:
    with begin("compare", "--modes", "epoll", "--scenarios", "many", "--out", tmp_path) as process:
        assert process.stdout is not None
        assert "one design is measured" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
    assert (process.returncode, said, errors.strip()) == (130, "", "pwb-legacy: stopped")
    assert list(tmp_path.iterdir()) == []


SHORT = ("--quick", "--modes", "epoll", "--scenarios", "kept", "--duration", "0.05")


def test_the_figures_of_an_earlier_run_are_kept(tmp_path: Path, quick: tuple[Results, str, str]) -> None:
    earlier = quick[0].to_json()
    (tmp_path / "compare.json").write_text(earlier)
    os.utime(tmp_path / "compare.json", (0, 0))
    status, said, errors = told("compare", *SHORT, "--out", tmp_path, TZ="UTC")
    assert (status, errors) == (0, "")
    kept = tmp_path / "compare-1970-01-01-000000.json"
    assert kept.read_text() == earlier
    assert f"{kept} has the figures of the run before\n" in said
    assert {one.design for one in read(tmp_path).measurements} == {"epoll"}


@pytest.mark.parametrize("name", ["compare.json", "compare.html"])
def test_a_folder_in_the_way_of_a_file_is_found_at_once(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    status, output, errors = told("compare", *SHORT, "--out", tmp_path)
    assert (status, output) == (1, "")
    assert errors == f"pwb-legacy: {tmp_path}/{name}: is a folder, and a file of this name is to be written\n"


def test_what_cannot_be_written_at_the_end_is_written_elsewhere(tmp_path: Path) -> None:
    """A folder that is gone, or a disk that is full, loses no run."""
    gone = "import shutil; from pwb_legacy.compare import session; play = session._play"
    gone += f"; session._play = lambda *all: (play(*all), shutil.rmtree({str(tmp_path / 'out')!r}))"
    status, said, errors = told("compare", *SHORT, "--out", tmp_path / "out", before=gone, TMPDIR=os.fspath(tmp_path))
    assert (status, errors) == (0, "")
    (spare,) = tmp_path.glob("pwb-compare-*")
    assert f"{tmp_path}/out/compare.json: No such file or directory; all is written to {spare}\n" in said
    assert len(read(spare).measurements) == 1
    assert (spare / "compare.html").exists()


def test_one_design_alone_is_measured_with_a_hint(tmp_path: Path) -> None:
    status, said, _ = told("compare", *SHORT, "--out", tmp_path)
    assert status == 0
    assert said.startswith("one design is measured, so nothing is compared; name two, such as --modes thread,epoll\n")


def test_a_report_names_what_it_has_written(tmp_path: Path, quick: tuple[Results, str, str]) -> None:
    (tmp_path / "compare.json").write_text(quick[0].to_json())
    status, said, errors = told("report", tmp_path / "compare.json", "--out", tmp_path / "class")
    assert (status, errors) == (0, "")
    assert said.splitlines()[-1] == f"{tmp_path}/class/compare.html has the pictures"
    assert [path.name for path in (tmp_path / "class").iterdir()] == ["compare.html"]


@pytest.mark.parametrize(("option", "known"), [("--modes", "epoll-thread"), ("--scenarios", "slow-heads")])
def test_an_unknown_name_is_one_line_with_those_there_are(option: str, known: str) -> None:
    status, output, errors = told("compare", option, "kept,nope")
    assert (status, output) == (2, "")
    assert len(errors.splitlines()) == 1
    assert "nope" in errors
    assert known in errors


def test_without_the_extra_it_says_how_to_get_it() -> None:
    status, output, errors = told("compare", before="import sys; sys.modules['rich'] = None")
    assert (status, output) == (1, "")
    assert (
        errors == "pwb-legacy: compare needs rich, which is not installed: pip install '.[lab]' in a checkout of PWB\n"
    )


def test_what_the_servers_need_too_comes_without_the_extra() -> None:
    status, output, errors = told("compare", before="import sys; sys.modules['uvloop'] = None")
    assert (status, output) == (1, "")
    assert errors == "pwb-legacy: compare needs uvloop, which is not installed: pip install . in a checkout of PWB\n"


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("variables", [ASCII, {"PYTHONUTF8": "1"}], ids=["ASCII", "UTF-8"])
def test_the_files_are_written_whatever_the_locale_and_the_names_of_folders(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    root = tmp_path / os.fsdecode(b"caf\xe9")
    root.mkdir()
    (root / "page.html").write_text("a page")
    words = ("--quick", "--modes", "epoll", "--scenarios", "kept", "--duration", "0.05", "--out", root / "out")
    status, said, errors = told("compare", root, *words, **variables)
    assert (status, errors) == (0, "")
    assert "one design is measured, so nothing is compared" in said
    assert str(root) in read(root / "out").about.command
    page = (root / "out" / "compare.html").read_text("utf-8")
    assert "caf\\udce9" in page
    assert "answer alike" not in page


NASTY = "größe \udcff\n\x1b[31m\u202e"
SHOWN = r"gr\xf6\xdfe \udcff\n\x1b[31m\u202e"


@pytest.mark.parametrize(
    "words",
    [["compare", NASTY], ["compare", ".", "--replay", NASTY], ["diff", "--corpus", NASTY], ["trace", "--modes", NASTY]],
)
def test_a_name_is_printed_on_one_line_whatever_it_is(words: list[str]) -> None:
    status, output, errors = told(*words, PYTHONIOENCODING="ascii")
    assert (status in (1, 2), output) == (True, "")
    assert SHOWN in errors.replace(r"\ufffd", r"\udcff")  # click itself shows a byte that is no text so
    assert errors.isascii()
    assert errors.count("\n") == 1


def test_a_run_prints_names_on_one_line_whatever_they_are(tmp_path: Path) -> None:
    root = tmp_path / NASTY
    root.mkdir()
    (root / "page.html").write_text("a page")
    words = ("--quick", "--modes", "epoll", "--scenarios", "kept", "--duration", "0.05", "--out", root / "out")
    status, said, errors = told("compare", root, *words, PYTHONIOENCODING="ascii")
    assert (status, errors) == (0, "")
    assert f"{SHOWN}/out/compare.html has the pictures" in said
    status, said, errors = told("trace", "--modes", "epoll", "--out", root / "out", PYTHONIOENCODING="ascii")
    assert (status, errors) == (0, "")
    assert said.splitlines()[-1].endswith(f"{SHOWN}/out/trace.html")


def test_a_folder_without_files_is_one_line(tmp_path: Path) -> None:
    status, output, errors = told("compare", tmp_path)
    assert (status, output) == (1, "")
    assert errors == f"pwb-legacy: {tmp_path}: there is no file to ask for\n"


async def measured(root: Path, contestant: Contestant, *scenarios: Scenario) -> list[Measurement]:
    root.mkdir()
    bench = Bench([contestant], scenarios, site.make(root, 1), rounds=1, seconds=0.05, connections=2, seed=1)
    await find_rates(bench)
    return [one async for one in measure(bench)]


async def test_a_design_that_cannot_start_has_a_reason(tmp_path: Path) -> None:
    broken = replace(EPOLL, words=("pwb_legacy", "--mode", "nonsense"))
    first, second = await measured(tmp_path / "site", broken, KEPT, KEPT)
    assert first.why is not None
    assert "nonsense" in first.why
    assert second.why is not None


async def test_a_design_that_crashes_has_a_reason_and_is_started_again(tmp_path: Path) -> None:
    async def crash(running: RunningServer) -> Tally:
        os.kill(running.server.pid, signal.SIGKILL)
        return await KEPT.play(running)

    crashed, next_one = await measured(tmp_path / "site", EPOLL, replace(KEPT, play=crash), KEPT)
    assert crashed.why is not None
    assert "it ended with status -9" in crashed.why
    assert next_one.why is None
    assert next_one.requests > 0


@needs_strace
async def test_a_design_that_crashes_while_its_calls_are_counted_is_told_as_such(tmp_path: Path) -> None:
    async def crash(running: RunningServer) -> Tally:
        tally = await KEPT.play(running)

        async def load(begin: Callable[[], None]) -> Tally:
            begin()
            os.kill(running.server.pid, signal.SIGKILL)
            running.server.process.wait()
            return tally

        running.traced = True
        await running.count(load)
        return tally

    (crashed,) = await measured(tmp_path / "site", EPOLL, replace(KEPT, play=crash))
    assert crashed.why is not None
    assert "it ended with status -9" in crashed.why


def test_a_folder_that_cannot_be_made_is_one_line_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, output, errors = told("compare", "--quick", "--out", tmp_path / "file" / "out")
    assert (status, output) == (1, "")
    assert errors == f"pwb-legacy: {tmp_path}/file/out: Not a directory\n"


def test_wrk_that_is_missing_is_one_line() -> None:
    status, output, errors = told("compare", "--load", "wrk", before="import os; os.environ['PATH'] = '/'")
    assert (status, output, errors) == (2, "", "pwb-legacy: --load wrk: wrk is not installed\n")


def test_help_names_the_scenarios_that_there_are() -> None:
    assert [one.name for one in SCENARIOS] == list(SCENARIO_NAMES)


# --- nothing is lost, and what can be drawn again


async def test_open_loops_have_a_rate_that_the_design_can_serve(tmp_path: Path) -> None:
    scenarios = [one for one in SCENARIOS if one.asks]
    measurements = await measured(tmp_path / "site", EPOLL, *scenarios)
    assert [one.scenario for one in measurements] == [one.name for one in scenarios]
    for one in measurements:
        assert (one.why, one.failures) == (None, 0), one
        assert one.requests > 0


def test_the_slowest_design_decides_a_rate_that_all_can_serve() -> None:
    assert common_rate({"epoll": 9000.0, "process": 1200.0, "silent": 0.0}) == Rate(600.0, "process", 1200.0)
    assert common_rate({"epoll": 9000.0, "thread": 8000.0}) == Rate(MAX_RATE, "thread", 8000.0)
    assert common_rate({"silent": 0.0}) == Rate(MIN_RATE)


async def test_a_capacity_is_no_best_moment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The middle of three trials, over as many connections as the open loop has."""
    asked: list[int] = []

    async def trial(address: object, asks: object, connections: int, *_: object, **more: object) -> Tally:
        asked.append(connections)
        return Tally(seconds=1.0, in_time=[1000.0, 9000.0, 2000.0][len(asked) - 1])

    monkeypatch.setattr(rates, "closed", trial)
    (tmp_path / "site").mkdir()
    running = RunningServer.__new__(RunningServer)
    running.site, running.address = site.make(tmp_path / "site", 1), ("127.0.0.1", 1)
    assert await rates.capacity(running, next(one for one in SCENARIOS if one.name == "slow-heads")) == 2000.0
    assert asked == [FEW] * 3


async def test_rounds_are_played_as_long_as_they_fit(tmp_path: Path) -> None:
    """One round at least, and others until the time is over."""
    (tmp_path / "site").mkdir()
    bench = Bench([EPOLL], [KEPT], site.make(tmp_path / "site", 1), rounds=1, seconds=0.05, connections=2, seed=1)
    bench.until = time.monotonic()
    assert [one.round async for one in measure(bench)] == [1]
    bench.until = time.monotonic() + 3600
    async with aclosing(measure(bench)) as measurements:
        async for one in measurements:
            if one.round == 3:
                break
    assert bench.planned > 3


def test_a_fault_in_drawing_loses_nothing(tmp_path: Path) -> None:
    """The figures are there, the command says so, and the page can be drawn later."""
    fault = "import pwb_legacy.compare.report.page as page; page.render = lambda *_: 1 / 0"
    words = ("--quick", "--modes", "epoll", "--scenarios", "kept", "--duration", "0.05", "--out", tmp_path)
    status, said, errors = told("compare", *words, before=fault)
    assert (status, errors) == (0, "")
    assert said.splitlines()[-1] == (
        f"{tmp_path}/compare.json has the figures; the page could not be drawn: ZeroDivisionError: division by zero"
    )
    assert not (tmp_path / "compare.html").exists()
    assert len(read(tmp_path).measurements) == 1
    status, said, errors = told("report", tmp_path / "compare.json", "--out", tmp_path / "again")
    assert (status, errors) == (0, "")
    assert (tmp_path / "again" / "compare.html").read_text().rstrip().endswith("</html>")


def test_a_run_can_be_told_in_chinese_and_begin_with_guesses(quick: tuple[Results, str, str], tmp_path: Path) -> None:
    results, _, _ = quick
    (tmp_path / "compare.json").write_text(results.to_json())
    status, said, errors = told("report", tmp_path / "compare.json", "--out", tmp_path, "--lang", "zh", "--guess")
    assert (status, errors) == (0, "")
    assert said.splitlines()[-1] == f"图表在 {tmp_path}/compare.html"
    page = (tmp_path / "compare.html").read_text()
    assert '<html lang="zh-CN">' in page
    assert "<body data-guess>" in page
    assert page.index("同样的响应") < page.index("The same responses")


def test_runs_are_joined(quick: tuple[Results, str, str], tmp_path: Path) -> None:
    results, _, _ = quick
    paths = [tmp_path / name for name in ("a.json", "b.json")]
    for seed, path in enumerate(paths):
        path.write_text(replace(results, runs=[replace(results.about, seed=seed)]).to_json())
    status, _, errors = told("report", *paths, "--out", tmp_path)
    assert (status, errors) == (0, "")
    page = (tmp_path / "compare.html").read_text()
    assert "2 runs joined" in page
    assert f"<td>{2 * results.of('epoll', 'kept')[0].requests:,}</td>" in page


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "not a compare.json of this version"),
        ('{"format": 1}', "compare.json has format 1, and this version reads format 2"),
        ('{"format": 2}', "a compare.json with wrong fields: 'runs'"),
        ("nonsense", "is not the compare.json of a run: line 1 is not JSON"),
        ('{\n"format": x', "is not the compare.json of a run: line 2 is not JSON"),
        ("\udcff", "is not the compare.json of a run: it is not UTF-8"),
    ],
)
def test_a_file_that_is_no_result_is_one_line(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "a.json").write_text(text, errors="surrogateescape")
    assert told("report", tmp_path / "a.json") == (1, "", f"pwb-legacy: {tmp_path}/a.json: {why}\n")


def test_the_page_or_the_folder_of_a_run_leads_to_its_figures(tmp_path: Path) -> None:
    (tmp_path / "compare.html").write_text("<!doctype html>")
    for path in (tmp_path / "compare.html", tmp_path):
        status, output, errors = told("report", path)
        assert (status, output) == (1, "")
        assert errors == f"pwb-legacy: {path}: is not the compare.json of a run; try {tmp_path}/compare.json\n"


def test_more_cores_than_there_are_is_one_line(tmp_path: Path) -> None:
    status, output, errors = told("compare", "--cores", "1,999", "--out", tmp_path)
    assert (status, output) == (1, "")
    assert errors == f"pwb-legacy: --cores 999: this process may use {len(os.sched_getaffinity(0))}\n"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")
def test_two_numbers_of_cores_are_measured_side_by_side(tmp_path: Path) -> None:
    words = ("--quick", "--modes", "epoll,process", "--scenarios", "kept", "--cores", "1,2", "--out", tmp_path)
    status, said, errors = told("compare", *words)
    assert (status, errors) == (0, "")
    assert "From 1 core to 2" in said
    results = read(tmp_path)
    assert [(one.name, one.design, one.cores) for one in results.designs] == [
        ("process@1", "process", 1),
        ("process@2", "process", 2),
        ("epoll@1", "epoll", 1),
        ("epoll@2", "epoll", 2),
    ]
    assert {one.design for one in results.measurements} == {one.name for one in results.designs}
    assert all(one.why is None for one in results.measurements)
    assert [len(cores) for cores in results.about.server_cores] == [1, 2]
    assert "core 0 or core 0 and 1" in (tmp_path / "compare.html").read_text() or os.sched_getaffinity(0) != {0, 1}


async def test_a_load_that_is_cancelled_before_its_time_begins_is_only_cancelled(tmp_path: Path) -> None:
    """Ctrl-C while clients still wait for their first responses."""

    async def stopped(running: RunningServer) -> Tally:
        os.kill(running.server.pid, signal.SIGSTOP)
        try:
            load = asyncio.create_task(KEPT.play(running))
            done, _ = await asyncio.wait([load], timeout=0.2)
            assert not done
            load.cancel()
            with pytest.raises(asyncio.CancelledError):
                await load
        finally:
            os.kill(running.server.pid, signal.SIGCONT)
        return await KEPT.play(running)

    (one,) = await measured(tmp_path / "site", EPOLL, replace(KEPT, play=stopped))
    assert one.why is None
