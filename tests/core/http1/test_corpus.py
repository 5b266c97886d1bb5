"""A corpus of requests, one file each, and how PWB responds however they are split.

A file's name states the expected responses: those to `200.405.keep-9112-9.3.2-words.http` are 200, then 405, and the
connection stays open. An RFC section or a hazard of docs/hazards.md follows, then a few words.

    keep     the connection stays open for the next request       wait     no response yet, and 400 at the end of file
    end      the last response closes the connection              silent   no response, even at the end of file
    (none)   the last response is to an invalid request            (only in the directory invalid)

It includes the cases of other projects' suites; tests/conformance/other_suites.toml lists these suites, and every case
in which PWB responds otherwise, with the reason.

To add a case, write its bytes: printf 'GET / HTTP/1.1\r\n\r\n' > invalid/400-9112-3.2-host-missing.http
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pwb_async.core.events import NEED_DATA, BadRequest, ConnectionState
from pwb_async.core.semantics.messages import Request
from tests.core.driver import MARKER, Conversation, Driver, byte_by_byte, converse, cuts

FOLDER = Path(__file__).parents[1] / "corpus"
ENDS = ("keep", "end", "wait", "silent")


class Case(NamedTuple):
    """One file of the corpus. expected: the status codes in order. end: one of ENDS, or "bad"."""

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


def outcome(conversation: Conversation) -> tuple[bytes, bool]:
    """Return the bytes that the client received, and whether the connection is open."""
    return conversation.wire, conversation.is_open


def check(case: Case, conversation: Conversation) -> None:
    assert conversation.statuses == case.expected
    assert conversation.is_open is (case.end not in ("end", "bad"))
    kinds = [type(answer.event) for answer in conversation.answers]
    if case.end == "bad":
        assert kinds == [Request] * (len(kinds) - 1) + [BadRequest]
    else:
        assert kinds == [Request] * len(kinds)


def test_the_corpus_follows_its_naming_rules() -> None:
    assert len(CASES) > 400
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.valid is (case.end in ("keep", "end")), case.name


@pytest.mark.parametrize("case", params())
def test_whole(case: Case) -> None:
    check(case, converse([case.wire] if case.wire else []))


@pytest.mark.parametrize("case", params())
def test_receive_data_then_next_event(case: Case) -> None:
    """receive_data() and next_event() have the same outcome as receive()."""
    driver = Driver()
    if case.wire:
        driver.connection.receive_data(case.wire)
    driver.answer_all()
    check(case, driver.conversation)
    assert outcome(driver.conversation) == outcome(converse([case.wire] if case.wire else []))


@pytest.mark.parametrize("case", params())
def test_byte_by_byte(case: Case) -> None:
    conversation = converse(byte_by_byte(case.wire))
    check(case, conversation)
    assert outcome(conversation) == outcome(converse([case.wire] if case.wire else []))


@pytest.mark.parametrize("case", params())
def test_split_anywhere_b10(case: Case) -> None:
    whole = outcome(converse([case.wire] if case.wire else []))
    for how, chunks in _some(cuts(case.wire), len(case.wire) // 120 + 1):
        assert outcome(converse(chunks if case.wire else [])) == whole, how


def _some(ways: Iterable[tuple[str, list[bytes]]], step: int) -> Iterator[tuple[str, list[bytes]]]:
    return ((how, chunks) for number, (how, chunks) in enumerate(ways) if number % step == 0)


@pytest.mark.parametrize("case", params("keep"))
@pytest.mark.parametrize("cut", [lambda wire: [wire], byte_by_byte], ids=["whole", "bytes"])
def test_a_request_behind_is_answered(case: Case, cut: object) -> None:
    assert callable(cut)
    conversation = converse(cut(case.wire + MARKER))
    assert conversation.statuses == [*case.expected, 200]
    assert conversation.answers[-1].content == b"MARKER"
    assert conversation.state is ConnectionState.IDLE


@pytest.mark.parametrize("case", params("end", "bad"))
@pytest.mark.parametrize("trailing", [MARKER, b"\0", b"\r\n\r\n", b"\xff" * 300], ids=["get", "nul", "crlf", "0xff"])
def test_bytes_behind_the_last_request_change_nothing(case: Case, trailing: bytes) -> None:
    alone = converse([case.wire])
    for chunks in ([case.wire + trailing], [case.wire, trailing], byte_by_byte(case.wire[-600:] + trailing)):
        if len(chunks) > 2 and len(case.wire) > 600:
            continue
        conversation = converse(chunks)
        assert conversation.wire == alone.wire
        assert conversation.state in (ConnectionState.LINGER, ConnectionState.CLOSED)
        assert b"/marker" not in conversation.targets


@pytest.mark.parametrize("case", params("wait", "silent"))
def test_end_of_file_within_a_request(case: Case) -> None:
    conversation = converse([case.wire, b""])
    assert conversation.statuses == (case.expected if case.end == "silent" else [*case.expected, 400])
    assert conversation.state is ConnectionState.CLOSED


@pytest.mark.parametrize("case", params("wait", "silent"))
def test_an_incomplete_request_needs_data(case: Case) -> None:
    conversation = converse([case.wire] if case.wire else [])
    assert conversation.connection.next_event() is NEED_DATA


@pytest.mark.parametrize("case", params("bad"))
def test_an_invalid_request_ends_the_connection(case: Case) -> None:
    last = converse([case.wire]).answers[-1]
    assert last.field(b"connection") == b"close"
    assert last.field(b"content-length") is not None
    assert last.bad.detail


@pytest.mark.parametrize("case", params("keep", "end"))
def test_a_half_closed_client_gets_every_response_a8(case: Case) -> None:
    """After shutdown(SHUT_WR) the client gets the same responses, and the connection closes without lingering."""
    driver = Driver()
    driver.connection.receive_data(case.wire)
    driver.connection.receive_data(b"")
    driver.answer_all()
    assert driver.conversation.statuses == case.expected
    assert driver.conversation.state is ConnectionState.CLOSED
