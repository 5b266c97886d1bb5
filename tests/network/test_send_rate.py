"""The rate at which a client reads: what it has acknowledged, and not what the kernel has taken (hazard A5)."""

import socket
from collections.abc import Iterator

import pytest

from pwb_async.network.send_rate import SendRate
from pwb_async.network.sockets import bytes_acknowledged

RATE, PERIOD = 1000, 2.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a TCP connection: the server's, and that of a client whose kernel takes a few KiB."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        server, _ = listener.accept()
        with server:
            yield server, client


def acknowledge(server: socket.socket, client: socket.socket, count: int) -> None:
    """Send bytes that the client reads."""
    before = bytes_acknowledged(server)
    server.sendall(bytes(count))
    client.recv(count, socket.MSG_WAITALL)
    while bytes_acknowledged(server) < before + count:
        pass


def test_a_client_that_reads_enough_in_each_period_is_not_below_a5(pair: tuple[socket.socket, socket.socket]) -> None:
    rate = SendRate(pair[0], 0.0)
    for end in (2.0, 4.0, 6.0):
        acknowledge(*pair, 2000)
        assert not rate.is_below(RATE, PERIOD, pair[0], end)


def test_no_period_is_judged_before_its_end_a5(pair: tuple[socket.socket, socket.socket]) -> None:
    rate = SendRate(pair[0], 0.0)
    assert not rate.is_below(RATE, PERIOD, pair[0], 1.9)
    assert rate.is_below(RATE, PERIOD, pair[0], 2.0)


def test_a_period_that_is_judged_late_is_longer_a5(pair: tuple[socket.socket, socket.socket]) -> None:
    rate = SendRate(pair[0], 0.0)
    acknowledge(*pair, 2000)
    assert rate.is_below(RATE, PERIOD, pair[0], 3.0)


def test_what_only_the_kernel_has_taken_does_not_count_a5(pair: tuple[socket.socket, socket.socket]) -> None:
    server, _ = pair
    server.setblocking(False)
    rate = SendRate(server, 0.0)
    assert server.send(bytes(1 << 20)) > 100_000
    assert rate.is_below(100_000, 1.0, server, 1.0)


def test_on_a_unix_socket_no_client_is_below() -> None:
    server, client = socket.socketpair()
    with server, client:
        assert not SendRate(server, 0.0).is_below(RATE, PERIOD, server, 10.0)
