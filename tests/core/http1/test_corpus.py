"""A corpus of wire requests, one file each, and what PWB makes of them however they are cut.

A file's name says what must come of it: `200.405.keep-9112-9.3.2-words.http` is answered 200, then 405, and the
connection goes on; then comes the RFC section or the hazard (docs/hazards.md), then a few words.

    keep     after the last answer the next request is answered     wait     nothing yet, and 400 at the end of file
    end      the last answer is the connection's last one           silent   nothing yet, and nothing at the end of file
    (none)   the last answer is to what is no request: the end      (only in the folder invalid)

The cases of other projects' suites are among them; tests/conformance/other_suites.toml says which suites, and where and
why PWB answers otherwise.

To add a case, write its bytes: printf 'GET / HTTP/1.1\r\n\r\n' > invalid/400-9112-3.2-host-missing.http
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pwb_async.core.events import NEED_DATA, BadRequest, ConnectionState
from pwb_async.core.semantics.messages import Request
from tests.core.driver import MARKER, Peer, Talk, byte_by_byte, converse, cuts

FOLDER = Path(__file__).parents[1] / "corpus"
ENDS = ("keep", "end", "wait", "silent")


class Case(NamedTuple):
    """expected: the statuses in order. end: one of ENDS, or "bad"."""

    name: str
    valid: bool
    wire: bytes
    expected: list[int]
    end: str


def _read(path: Path) -> Case:
    outcome, _, name = path.stem.partition("-")
    tokens = outcome.split(".")
    end = tokens.pop() if tokens[-1] in ENDS else "bad"
    return Case(name, path.parent.name == "valid", path.read_bytes(), [int(token) for token in tokens], end)


CASES = [_read(path) for path in sorted(FOLDER.glob("*/*.http"))]


def params(*ends: str) -> list[object]:
    return [pytest.param(case, id=case.name) for case in CASES if case.end in (ends or (*ENDS, "bad"))]


def outcome(talk: Talk) -> tuple[bytes, bool]:
    """What a client can tell of a conversation, and whether it goes on."""
    return talk.wire, talk.kept


def check(case: Case, talk: Talk) -> None:
    assert talk.statuses == case.expected
    assert talk.kept is (case.end not in ("end", "bad"))
    kinds = [type(answer.event) for answer in talk.answers]
    if case.end == "bad":
        assert kinds == [Request] * (len(kinds) - 1) + [BadRequest]
    else:
        assert kinds == [Request] * len(kinds)


def test_the_corpus_is_there_and_named_as_its_page_says() -> None:
    assert len(CASES) > 400
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.valid is (case.end in ("keep", "end")), case.name


@pytest.mark.parametrize("case", params())
def test_whole(case: Case) -> None:
    check(case, converse([case.wire] if case.wire else []))


@pytest.mark.parametrize("case", params())
def test_whole_step_by_step(case: Case) -> None:
    """receive_data() and next_event() instead of both in one."""
    peer = Peer()
    if case.wire:
        peer.connection.receive_data(case.wire)
    peer.answer_all()
    check(case, peer.talk)
    assert outcome(peer.talk) == outcome(converse([case.wire] if case.wire else []))


@pytest.mark.parametrize("case", params())
def test_byte_by_byte(case: Case) -> None:
    talk = converse(byte_by_byte(case.wire))
    check(case, talk)
    assert outcome(talk) == outcome(converse([case.wire] if case.wire else []))


@pytest.mark.parametrize("case", params())
def test_cut_anywhere_b10(case: Case) -> None:
    whole = outcome(converse([case.wire] if case.wire else []))
    for how, chunks in _some(cuts(case.wire), len(case.wire) // 120 + 1):
        assert outcome(converse(chunks if case.wire else [])) == whole, how


def _some(ways: Iterable[tuple[str, list[bytes]]], step: int) -> Iterator[tuple[str, list[bytes]]]:
    return ((how, chunks) for number, (how, chunks) in enumerate(ways) if number % step == 0)


@pytest.mark.parametrize("case", params("keep"))
@pytest.mark.parametrize("cut", [lambda wire: [wire], byte_by_byte], ids=["whole", "bytes"])
def test_trailing_request_is_answered(case: Case, cut: object) -> None:
    assert callable(cut)
    talk = converse(cut(case.wire + MARKER))
    assert talk.statuses == [*case.expected, 200]
    assert talk.answers[-1].content == b"MARKER"
    assert talk.state is ConnectionState.IDLE


@pytest.mark.parametrize("case", params("end", "bad"))
@pytest.mark.parametrize("trailing", [MARKER, b"\0", b"\r\n\r\n", b"\xff" * 300], ids=["get", "nul", "crlf", "0xff"])
def test_trailing_bytes_change_nothing_behind_the_end(case: Case, trailing: bytes) -> None:
    alone = converse([case.wire])
    for chunks in ([case.wire + trailing], [case.wire, trailing], byte_by_byte(case.wire[-600:] + trailing)):
        if len(chunks) > 2 and len(case.wire) > 600:
            continue
        talk = converse(chunks)
        assert talk.wire == alone.wire
        assert talk.state in (ConnectionState.LINGER, ConnectionState.CLOSED)
        assert b"/marker" not in talk.targets


@pytest.mark.parametrize("case", params("wait", "silent"))
def test_end_of_file_in_the_middle(case: Case) -> None:
    talk = converse([case.wire, b""])
    assert talk.statuses == (case.expected if case.end == "silent" else [*case.expected, 400])
    assert talk.state is ConnectionState.CLOSED


@pytest.mark.parametrize("case", params("wait", "silent"))
def test_the_middle_asks_for_more(case: Case) -> None:
    talk = converse([case.wire] if case.wire else [])
    assert talk.connection.next_event() is NEED_DATA


@pytest.mark.parametrize("case", params("bad"))
def test_answer_to_no_request_ends_the_connection(case: Case) -> None:
    last = converse([case.wire]).answers[-1]
    assert last.field(b"connection") == b"close"
    assert last.field(b"content-length") is not None
    assert last.bad.detail


@pytest.mark.parametrize("case", params("keep", "end"))
def test_half_closed_client_gets_every_answer_a8(case: Case) -> None:
    """shutdown(SHUT_WR) after the last byte: the same answers, then the end without lingering."""
    peer = Peer()
    peer.connection.receive_data(case.wire)
    peer.connection.receive_data(b"")
    peer.answer_all()
    assert peer.talk.statuses == case.expected
    assert peer.talk.state is ConnectionState.CLOSED
