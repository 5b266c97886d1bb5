"""The rows of rfc9113.py: their outcome in whole and cut anywhere, and what h2 and nghttp2 make of them."""

import pytest

from pwb_async.core.http2 import frames

from .rfc9113 import ROWS, Outcome, Row, wire_of
from .server import H2, Nghttp2, Ours, Server, converse

IDS = [f"{row.section} {row.words}" for row in ROWS]
LISTS = ("8.2.1", "8.2.2", "8.3", "8.3.1", "8.5")
"""The sections about header lists, in which h2 ends the connection for each error."""
H2_DIFFERS = {
    "a request before SETTINGS": "h2 does not ask for SETTINGS",
    "PING before SETTINGS": "the same",
    "a block that refers to nothing": "h2 has the code of a general error",
    "a block that is cut off": "the same",
    "a larger table than was agreed": "the same",
    "trailers that cannot be decoded": "the same",
    "a table goes on after a malformed request": "h2 ends the connection for each error of a list",
    "an acknowledgement with a payload": "h2 has the code of a general error",
    "GOAWAY of the client": "h2 accepts nothing after it",
    "the reserved bit of an increment": "h2 does not ignore it",
    "Content-Length without content": "h2 compares the length only where there is DATA",
}
NGHTTP2_DIFFERS = {
    "DATA on a stream that was reset": "nghttp2 ignores what arrives on a stream that it has forgotten",
    "HEADERS on a stream that was reset": "the same",
    "a lower identifier than the last": "the same",
    "PRIORITY on stream 0": "nghttp2 ignores PRIORITY",
}


def agrees(found: Server, expected: Outcome) -> bool:
    if found.goaway is not None:
        return found.goaway in expected.connection
    if found.requests - {expected.stream} != set(expected.served):
        return False
    if expected.stream:
        return found.resets.keys() == {expected.stream} and found.resets[expected.stream] in expected.codes
    return not expected.connection and not found.resets


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_outcome(row: Row) -> None:
    found = converse([wire_of(row)], Ours(row.waiting))
    assert agrees(found, row.outcome), vars(found)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_outcome_wherever_the_bytes_are_cut(row: Row) -> None:
    wire = wire_of(row)
    step = max(1, len(wire) // 150)
    for at in range(1, len(wire), step):
        found = converse([wire[:at], wire[at:]], Ours(row.waiting))
        assert agrees(found, row.outcome), (at, vars(found))
    assert agrees(converse([wire[at : at + step] for at in range(0, len(wire), step)], Ours(row.waiting)), row.outcome)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_other_servers_agree(row: Row) -> None:
    """Which rows they disagree about is written above, with the reasons."""
    theirs = converse([wire_of(row)], H2(row.waiting))
    if row.section in LISTS and row.outcome.stream:
        assert theirs.goaway in row.outcome.codes
    else:
        assert agrees(theirs, row.outcome) == (row.words not in H2_DIFFERS), vars(theirs)
    theirs = converse([wire_of(row)], Nghttp2(row.waiting))
    assert agrees(theirs, row.outcome) == (row.words not in NGHTTP2_DIFFERS), vars(theirs)


def test_the_reasons_are_about_rows() -> None:
    assert H2_DIFFERS.keys() | NGHTTP2_DIFFERS.keys() <= {row.words for row in ROWS}


def test_the_preface_may_come_in_pieces() -> None:
    server = Ours()
    for octet in frames.PREFACE:
        server.send(bytes((octet,)))
    server.send(frames.settings(()))
    assert not server.errors
