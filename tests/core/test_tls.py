"""TLS in memory: a client and a server that exchange bytes, cut as a test wants them."""

import os
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from pwb_async.core.tls import TLSBuffers, TLSConnection, TLSError, begins_as_http
from pwb_async.tls.certified_key import certify
from pwb_async.tls.contexts import TLSContexts
from tests.conformance.tls import TLSAddress, TLSStream
from tests.tls.certificates import make
from tests.tls.key_updates import Records, first_secret

PAIR: Final = make("localhost")
CONTEXT: Final = TLSContexts([certify(PAIR.certificate_pem, PAIR.key_pem(), "site")]).context()
VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
PLAINTEXT_ALERT: Final = b"\x15\x03"


class Pair:
    """A client and a server, which share their buffers with other servers, with the handshake behind them."""

    def __init__(
        self,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        buffers: TLSBuffers | None = None,
        key_log: Path | None = None,
    ) -> None:
        address = TLSAddress(("", 0))
        address.context.maximum_version = version
        if key_log is not None:
            address.context.keylog_filename = os.fspath(key_log)
        self.buffers = buffers or TLSBuffers()
        self.client, self.server = TLSStream(address), TLSConnection(CONTEXT, self.buffers)
        self.received = b""
        while not (self.client.shake_hands() and self.server.complete):
            self.to_server(self.client.take())

    def to_server(self, data: bytes) -> None:
        plaintext, output = self.server.receive(data)
        assert self.buffers.incoming.pending == self.buffers.outgoing.pending == 0, "others would get it"
        self.received += plaintext
        self.client.feed(output)


@pytest.fixture(params=VERSIONS)
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(VERSIONS[request.param])


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_whatever_the_pieces_the_plaintext_is_the_same(pair: Pair, size: int) -> None:
    content = bytes(range(256)) * 200
    for piece in pieces(pair.client.encrypt(content[:40_000]) + pair.client.encrypt(content[40_000:]), size):
        pair.to_server(piece)
    assert pair.received == content
    pair.client.feed(pair.server.send(memoryview(content)))
    got = b""
    while piece := pair.client.decrypt() or b"":
        got += piece
    assert got == content


def test_a_handshake_byte_by_byte() -> None:
    buffers = TLSBuffers()
    server, client = TLSConnection(CONTEXT, buffers), TLSStream(TLSAddress(("", 0)))
    plaintext = b""
    while not (client.shake_hands() and server.complete):
        for byte in pieces(client.take(), 1):
            plaintext, output = server.receive(byte)
            assert plaintext == b""
            client.feed(output)
    assert server.alpn is None


def test_data_behind_the_handshake_is_received_with_its_last_step() -> None:
    buffers = TLSBuffers()
    server, client = TLSConnection(CONTEXT, buffers), TLSStream(TLSAddress(("", 0)))
    assert not client.shake_hands()
    client.feed(server.receive(client.take())[1])
    assert client.shake_hands()
    assert server.receive(client.take() + client.encrypt(b"GET"))[0] == b"GET"
    assert server.complete


def test_connections_that_share_buffers_do_not_meet() -> None:
    buffers = TLSBuffers()
    pairs = [Pair(buffers=buffers) for _ in range(3)]
    for number, pair in enumerate(pairs):
        content = b"%d" % number * 5000
        for piece in pieces(pair.client.encrypt(content), 333):
            pair.to_server(piece)
            with suppress(TLSError):
                TLSConnection(CONTEXT, buffers).receive(b"GARBAGE" * 10)
        assert pair.received == content


def test_each_side_ends_its_own_direction(pair: Pair) -> None:
    pair.client.feed(pair.server.send(b"last"))
    pair.client.feed(pair.server.close())
    assert [pair.client.decrypt(), pair.client.decrypt()] == [b"last", b""]
    pair.to_server(pair.client.encrypt(b"still here"))
    assert (pair.received, pair.server.ended) == (b"still here", False)
    pair.to_server(pair.client.close() + b"what follows is ignored")
    assert pair.server.ended
    assert pair.server.close() == b"", "it was sent before"


def test_after_the_clients_close_notify_the_server_still_sends(pair: Pair) -> None:
    pair.to_server(pair.client.encrypt(b"the end") + pair.client.close())
    assert (pair.received, pair.server.ended) == (b"the end", True)
    pair.client.feed(pair.server.send(b"response"))
    assert pair.client.decrypt() == b"response"


def test_a_changed_record_is_an_error_with_an_alert(pair: Pair) -> None:
    record = bytearray(pair.client.encrypt(b"x" * 100))
    record[50] ^= 1
    with pytest.raises(TLSError, match="BAD_RECORD_MAC") as error:
        pair.to_server(bytes(record) + b"more")
    assert error.value.alert
    assert not pair.buffers.incoming.pending


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-x\r\n",
        bytes(100),
        b"\xff" * 100,
        b"\x16\x03\x01\xff\xff" + bytes(70_000),
        b"\x17\x03\x03\x00\x05hello",
    ],
    ids=["ssh", "zeros", "ones", "a-record-of-64-KiB", "application-data"],
)
def test_what_is_no_handshake_gets_an_alert_in_plaintext(data: bytes) -> None:
    buffers = TLSBuffers()
    with pytest.raises(TLSError) as error:
        TLSConnection(CONTEXT, buffers).receive(data)
    assert error.value.alert.startswith(PLAINTEXT_ALERT)
    assert buffers.incoming.pending == buffers.outgoing.pending == 0


def test_keys_may_change(tmp_path: Path) -> None:
    pair = Pair(key_log=tmp_path / "keys")
    records = Records(first_secret(tmp_path / "keys"))
    for count in range(100):
        pair.to_server(b"".join(records.key_updates(100)) + records.data(b"%d " % count))
    assert pair.received.split() == [b"%d" % count for count in range(100)]
    pair.client.feed(pair.server.send(b"hello"))
    assert pair.client.decrypt() == b"hello"


@pytest.mark.parametrize("size", [27, 5000, 1 << 20])
def test_keys_may_not_change_without_an_end(size: int, tmp_path: Path) -> None:
    """Each change costs more than to send it does, and an answer if the peer asks for one."""
    pair, answers = Pair(key_log=tmp_path / "keys"), 0
    records = Records(first_secret(tmp_path / "keys"))
    with pytest.raises(TLSError, match="records without data") as error:
        for piece in pieces(b"".join(records.key_updates(2000)), size):
            answers += len(pair.server.receive(piece)[1])
    assert answers <= 33_000
    assert error.value.alert == b""
    assert pair.buffers.incoming.pending == pair.buffers.outgoing.pending == 0


def test_nothing_of_a_connection_is_left_for_another_one_by_a_fault() -> None:
    """An exception that is none of TLS, such as MemoryError."""
    pair = Pair()
    other = Pair(buffers=pair.buffers)

    def fail(_: object) -> bytes:
        pair.buffers.outgoing.write(b"half of a record")
        raise MemoryError

    for name, call in (("_read", pair.server.receive), ("_write", pair.server.send)):
        setattr(pair.server, name, fail)
        with pytest.raises(MemoryError):
            call(pair.client.encrypt(b"secret"))
        other.to_server(other.client.encrypt(b"a"))
    assert other.received == b"aa"


def test_an_alert_is_not_answered() -> None:
    server, client = TLSConnection(CONTEXT, TLSBuffers()), TLSStream(TLSAddress(("", 0)))
    assert not client.shake_hands()
    server.receive(client.take())
    with pytest.raises(TLSError, match="ALERT_UNKNOWN_CA") as error:
        server.receive(b"\x15\x03\x03\x00\x02\x02\x30")
    assert error.value.alert == b""


def test_renegotiation_is_refused() -> None:
    """With TLS 1.2 a client could make the server sign again and again on one connection (CVE-2011-1473)."""
    assert CONTEXT.options & ssl.OP_NO_RENEGOTIATION


def test_the_first_byte_tells_http_from_tls() -> None:
    assert begins_as_http(b"GET / HTTP/1.1\r\n")
    assert not begins_as_http(b"\x16\x03\x01")
    assert not begins_as_http(b"\r\nGET / HTTP/1.1\r\n")
