"""`compare --sweep`, as people start it: which points it measures, what it writes, how it is bounded and stopped."""

import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pwb_legacy.compare.measure import sample_site
from pwb_legacy.compare.measure.results import Point
from pwb_legacy.compare.measure.rounds import Bench
from pwb_legacy.compare.measure.servers import Contestant
from pwb_legacy.compare.measure.sweep import sweep
from pwb_legacy.compare.measure.sweep_plan import CLIENTS, DESCRIPTORS, SHARES, Plan

from .test_compare import EPOLL, begin, read, told


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("sweep")
    words = ("--sweep", "--quick", "--rounds", "2", "--duration", "0.1", "--modes", "single,epoll", "--out", out)
    status, said, errors = told("compare", *words)
    assert (status, errors) == (0, "")
    return out, said


def test_every_point_is_measured(short: tuple[Path, str]) -> None:
    out, _ = short
    results = read(out)
    expected = {("clients", x) for x in CLIENTS[::3]} | {("offered", x) for x in SHARES[::2]}
    for design in ("single", "epoll"):
        for number in (1, 2):
            mine = [one for one in results.points if (one.design, one.round) == (design, number)]
            assert {(one.question, one.x) for one in mine} == expected
            assert len(mine) == len(expected)
    assert all(one.why is None and one.requests > 0 and one.cpu_us for one in results.points)
    assert results.measurements == []
    assert results.about.rounds == 2


def test_an_open_loop_sends_a_share_of_the_capacity(short: tuple[Path, str]) -> None:
    results = read(short[0])
    for design in ("single", "epoll"):
        mine = [one for one in results.points if (one.design, one.question, one.round) == (design, "offered", 1)]
        capacities = {round(one.offered / one.x, 3) for one in mine if one.offered}
        assert len(capacities) == 1
        assert capacities.pop() > 100
    assert all(one.offered is None for one in results.points if one.question == "clients")


def test_what_is_said_and_drawn(short: tuple[Path, str]) -> None:
    out, said = short
    assert "16 points in a round, at least 2 rounds" in said
    assert sum(line.startswith("round ") for line in said.splitlines()) == 32
    assert "Requests a second, over the number of clients: " in said
    page = (out / "compare.html").read_text()
    assert "closed loops of 1 to 512 clients" in page
    assert page.count('<figure class="curve" ') == 2 * 4  # in two languages
    status, again, errors = told("report", out / "compare.json", "--out", out / "again")
    assert (status, errors) == (0, "")
    assert "Requests a second, over the number of clients: " in again
    assert (out / "again" / "compare.html").read_text() == page


def test_ctrl_c_keeps_the_points_that_there_are(tmp_path: Path) -> None:
    process = begin("compare", "--sweep", "--modes", "epoll", "--rounds", "50", "--out", tmp_path)
    with process:
        assert process.stdout is not None
        while not (line := process.stdout.readline()).startswith("round 1"):
            assert line, process.communicate()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "pwb-legacy: stopped\n")
    results = read(tmp_path)
    assert results.about.interrupted
    assert results.points
    assert "interrupted" in (tmp_path / "compare.html").read_text()


@pytest.mark.parametrize("words", [("--scenarios", "kept"), ("--load", "wrk"), ("--replay", __file__)])
def test_what_does_not_go_together_is_one_line(words: tuple[str, ...]) -> None:
    status, output, errors = told("compare", "--sweep", *words)
    assert (status, output) == (2, "")
    assert errors.startswith("pwb-legacy: --sweep ")
    assert errors.count("\n") == 1


def test_too_few_descriptors_are_one_line() -> None:
    few = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS - 1}, {DESCRIPTORS - 1}))"
    status, output, errors = told("compare", "--sweep", before=few)
    assert (status, output) == (1, "")
    assert errors == (
        f"pwb-legacy: --sweep: 512 clients need {DESCRIPTORS} descriptors, this process may have {DESCRIPTORS - 1} "
        "(ulimit -Hn)\n"
    )


async def measured(root: Path, contestant: Contestant, plan: Plan) -> list[Point]:
    root.mkdir()
    bench = Bench([contestant], [], sample_site.make(root, 1), rounds=1, seconds=0.05, connections=4, seed=1)
    return [one async for one in sweep(bench, plan)]


async def test_a_design_that_cannot_start_has_a_reason_at_each_point(tmp_path: Path) -> None:
    broken = replace(EPOLL, words=("pwb_legacy", "--mode", "nonsense"))
    points = await measured(tmp_path / "site", broken, Plan((1, 2), (0.5,), seconds=0.05, rounds=(1, 1)))
    assert len(points) == 3
    assert all(one.why and "nonsense" in one.why for one in points)


async def test_no_point_begins_when_the_time_is_over(tmp_path: Path) -> None:
    assert await measured(tmp_path / "site", EPOLL, Plan(until=time.monotonic())) == []


async def test_more_rounds_are_played_only_as_long_as_they_fit(tmp_path: Path) -> None:
    plan = Plan((1,), (), seconds=0.05, rounds=(1, 1000), until=time.monotonic() + 4)
    points = await measured(tmp_path / "site", EPOLL, plan)
    assert 1 <= max(one.round for one in points) < 1000
    assert time.monotonic() < plan.until + 2


def test_a_measurement_gets_what_is_left_of_the_time() -> None:
    plan = Plan(seconds=0.3, until=time.monotonic() + 100)
    plan.spent = [0.2]
    assert plan.length(10) == 0.3
    assert plan.length(250) == pytest.approx(0.2, abs=0.01)
    assert plan.length(10_000) == 0.1


def test_the_clients_are_bounded_by_the_descriptors_that_are_checked() -> None:
    assert max(CLIENTS) == 512 < DESCRIPTORS
