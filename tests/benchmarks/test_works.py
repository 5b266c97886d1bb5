"""The works: their files, their requests, and the check that finds a server's wrong answer."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from .curves import CURVES, Curve
from .measure import Generator
from .rounds import Bench
from .servers import PEERS
from .site import Site, make_site, tail_bodies, write_tail
from .texts import DOCUMENTATION
from .verify import Reply, UnableError, check, compare
from .works import CODED_WORKS, HOST, HTTP2_WORKS, TLS_WORKS, WORKS, ExpectedResponse, Plan, Work, accepting, get, tail

PACED = next(work for work in WORKS if work.pause)
SMALLEST = 1000
"""Files of the tail: the places with more of them are left out here."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    root = tmp_path_factory.mktemp("site")
    return Bench(make_site(root, SMALLEST), tmp_path_factory.mktemp("scratch"), 0, Generator(0, 1, root), 1, 1)


def test_the_files_of_the_tail_are_those_that_its_plan_expects(tmp_path: Path) -> None:
    write_tail(tmp_path / "site", 2001)
    plan = tail(2001).plan(Site(tmp_path, ()), b"")
    assert len(set(plan.requests)) == 2001
    for request, wanted in zip(plan.requests, plan.responses, strict=True):
        file = tmp_path / request.split()[1].decode().lstrip("/")
        assert file.read_bytes() == wanted.body
    assert {len(body) for body in tail_bodies()} == {4096}


def test_the_tail_is_asked_for_by_zipf_s_law() -> None:
    plan = tail(100_000).plan(Site(Path(), ()), b"")
    times = Counter(plan.order)
    assert len(plan.order) == 200_000
    first, hundredth = times[0], sum(times[rank] for rank in range(90, 110)) / 20
    assert first / hundredth == pytest.approx(100**0.8, rel=0.25)
    assert 50_000 < len(times) < 80_000


def test_the_order_goes_on_where_the_last_round_ended() -> None:
    plan = Plan((b"a", b"b"), (), (0, 1, 1))
    assert [plan.order_after(asked) for asked in (0, 2, 3, 7)] == [(0, 1, 1), (1, 0, 1), (0, 1, 1), (1, 1, 0)]


@pytest.mark.parametrize("name", ["pwb", "nginx"])
@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_the_peers_answer_every_place_of_a_curve(name: str, curve: Curve, bench: Bench) -> None:
    if name == "nginx" and not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        pytest.skip("nginx is not installed")
    peer = next(peer for peer in PEERS if peer.name == name)
    works = [work for place in curve.places if (work := curve.at(place)).tail <= SMALLEST]
    assert works
    for work in works:
        with bench.start(peer, work) as participant:
            assert check(participant.server.port, participant.plan) == []


@pytest.mark.parametrize("name", ["pwb", "nginx"])
@pytest.mark.parametrize("work", CODED_WORKS, ids=lambda work: work.name)
def test_the_peers_answer_every_work_of_compression(name: str, work: Work, bench: Bench) -> None:
    peer = next(peer for peer in PEERS if peer.name == name)
    if name == "nginx" and (work.name == "coded-cold-zstd" or not shutil.which("nginx", path="/usr/sbin:/usr/bin")):
        pytest.skip("nginx is not installed, or has no such coding")
    if work.tree == "documentation" and not any(map(Path.is_dir, DOCUMENTATION)):
        pytest.skip("python3-doc is not installed")
    with bench.start(peer, work) as participant:
        assert check(participant.server.port, participant.plan) == []


@pytest.mark.parametrize("name", ["pwb", "nginx"])
def test_the_peers_answer_the_works_over_https(name: str, bench: Bench) -> None:
    peer = next(peer for peer in PEERS if peer.name == name)
    if not all(shutil.which(each, path="/usr/sbin:/usr/bin") for each in ("ab", "nginx", "wrk")):
        pytest.skip("ab, nginx or wrk is not installed")
    for work in (TLS_WORKS[0], TLS_WORKS[-1]):
        with bench.start(peer, work) as participant:
            assert check(participant.server.port, participant.plan, tls=True) == []
            sample = bench.generator.load(participant.server, work, participant.plan, 0)
            assert (sample.errors, sample.remarks) == (0, [])
            assert sample.requests > 10


@pytest.mark.parametrize("name", ["pwb", "nginx"])
def test_the_peers_answer_the_works_over_http2(name: str, bench: Bench) -> None:
    peer = next(peer for peer in PEERS if peer.name == name)
    if not all(shutil.which(each, path="/usr/sbin:/usr/bin") for each in ("h2load", "nginx")):
        pytest.skip("h2load or nginx is not installed")
    for work in (HTTP2_WORKS[1], HTTP2_WORKS[-1]):
        with bench.start(peer, work) as participant:
            assert check(participant.server.port, participant.plan, tls=True) == []
            sample = bench.generator.load(participant.server, work, participant.plan, 0)
            assert (sample.errors, sample.remarks) == (0, [])
            assert sample.requests > 10
            assert 0 < sample.p50_ms <= sample.p99_ms


def test_what_a_client_accepts_is_in_one_field_or_in_none() -> None:
    assert accepting(b"br").count(b"Accept-Encoding: br\r\n") == 1
    assert b"Accept-Encoding" not in accepting(b"")


def test_a_coding_is_demanded_or_forbidden() -> None:
    coded, plain = Reply(200, b"", b"abc", True, coding="br"), Reply(200, b"", b"abc", True)
    compare(coded, ExpectedResponse(200, b"abc", coded=True))
    compare(plain, ExpectedResponse(200, b"abc"))
    for reply in (coded, plain):
        compare(reply, ExpectedResponse(200, b"abc", coded=None))
    for reply, wanted in ((plain, True), (coded, False)):
        with pytest.raises(UnableError, match="coding"):
            compare(reply, ExpectedResponse(200, b"abc", coded=wanted))


@pytest.mark.parametrize("before", [b"", b"\r\n"])
def test_the_parts_of_a_multipart_response_are_compared(before: bytes) -> None:
    head = b"--x\r\nContent-Type: text/javascript\r\nContent-Range: bytes 0-2/9\r\n\r\n"
    body = before + head + b"abc\r\n" + head + b"def\r\n--x--\r\n"
    wanted = ExpectedResponse(206, b"abcdef", (b"abc", b"def"))
    compare(Reply(206, b"", body, True, b"x"), wanted)
    for wrong in (Reply(206, b"", body.replace(b"def", b"dxf"), True, b"x"), Reply(206, b"", b"abcdef", True)):
        with pytest.raises(UnableError, match="parts"):
            compare(wrong, wanted)


def test_clients_that_pause_open_a_connection_for_each_request(bench: Bench) -> None:
    """50 clients that pause 100 ms make at most 500 requests a second; a server that refuses is counted as an error."""
    work = replace(PACED, connections=50)
    peer = next(peer for peer in PEERS if peer.name == "pwb")
    with bench.start(peer, work) as participant:
        right = bench.generator.load(participant.server, work, participant.plan, 0)
        missing = replace(participant.plan, requests=(get("no-such-file", HOST + b"Connection: close\r\n"),))
        wrong = bench.generator.load(participant.server, work, missing, 0)
    assert 0 < right.requests <= 500 * work.stretch + work.connections
    assert right.errors == 0
    assert wrong.errors >= wrong.requests > 0  # the last response may come after the end of the count
