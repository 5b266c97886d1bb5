"""Admission control by itself, as all servers use it: who is admitted, who makes room, who is closed (A9, A10)."""

import socket
import threading

from pwb_async.network.admission import AdmissionControl, SharedAdmissionControl


class Connection:
    """An AdmittedConnection without bytes."""

    sock = socket.socket(socket.AF_UNIX)

    def __init__(self, idle_order: float | None = None, peer: str = "127.0.0.1") -> None:
        self.idle_order = idle_order
        self.peer = peer
        self.closed = self.stopped = False

    def close(self) -> None:
        self.closed = True

    def stop(self) -> None:
        self.stopped = True
        self.idle_order = None


def full(*connections: Connection, max_per_peer: int = 0) -> AdmissionControl[Connection]:
    control: AdmissionControl[Connection] = AdmissionControl(len(connections), max_per_peer)
    for connection in connections:
        assert control.admit(connection, 0.0)
    return control


def test_the_longest_idle_connection_makes_room_a9() -> None:
    connections = [Connection(3.0), Connection(), Connection(1.0), Connection(2.0)]
    control = full(*connections)
    assert control.admit(Connection(), 0.0)
    assert [connection.stopped for connection in connections] == [False, False, True, False]
    assert control.admit(Connection(), 0.0)
    assert [connection.stopped for connection in connections] == [False, False, True, True]


def test_an_evicted_connection_is_open_until_it_is_closed() -> None:
    """A server that stops waits for it: it may still answer a request that had arrived."""
    connection = Connection(1.0)
    control = full(connection)
    assert control.admit(Connection(), 0.0)
    assert connection in control.connections
    control.forget(connection)
    assert connection not in control.connections


def test_of_too_many_refused_the_oldest_is_closed_a9() -> None:
    control = full(Connection(), Connection())
    refused = [Connection() for _ in range(4)]
    assert not any(control.admit(connection, 0.0) for connection in refused)
    assert [connection.closed for connection in refused] == [True, True, False, False]


def test_a_refused_connection_counts_neither_in_total_nor_for_its_peer_a9_a10() -> None:
    first, second = Connection(), Connection(peer="127.0.0.2")
    control = full(first, second, max_per_peer=1)
    control.refuse(first)  # no thread can be started for it
    assert control.admit(Connection(), 0.0)
    assert not control.admit(Connection(), 0.0)


def test_a_closed_connection_does_not_count_before_its_end_is_reported_a9() -> None:
    first, second, third = Connection(), Connection(), Connection()
    control = full(first)
    assert not control.admit(second, 0.0)
    assert not control.admit(third, 0.0)
    assert second.closed
    control.forget(first)
    assert control.admit(Connection(), 0.0)


def test_a_process_takes_the_place_of_its_connection_a9_a10() -> None:
    connection, process = Connection(), Connection()
    control = full(connection, max_per_peer=1)
    control.replace(connection, process)
    control.forget(connection)
    assert not control.admit(Connection(), 0.0)
    control.forget(process)
    assert control.admit(Connection(), 0.0)


def test_a_design_has_a_capacity_unless_a_limit_is_given_a9() -> None:
    for max_connections, expected in ((0, 2), (3, 3)):
        control: AdmissionControl[Connection] = AdmissionControl(max_connections, 0, capacity=2)
        assert [control.admit(Connection(), 0.0) for _ in range(4)].count(True) == expected


def test_threads_may_forget_connections_while_others_are_admitted_a10() -> None:
    """With one connection that is counted twice, or never again, the last one is refused or one too many admitted."""
    control: AdmissionControl[Connection] = SharedAdmissionControl(1000, 100)

    def work() -> None:
        for number in range(2000):
            connection = Connection(peer=f"127.0.0.{number % 2}")
            assert control.admit(connection, 0.0)
            control.forget(connection)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not control.connections
    assert [control.admit(Connection(), 0.0) for _ in range(101)] == [True] * 100 + [False]


def test_what_replaces_a_connection_is_not_counted_again_a9_a10() -> None:
    """As with TLS: the protocol that speaks HTTP comes after the handshake, which has been counted."""
    handshake, protocol = Connection(), Connection()
    control = full(handshake, max_per_peer=1)
    control.replace(handshake, protocol)
    assert control.admit(protocol, 0.0)
    assert (control.accepted, list(control.connections)) == (1, [protocol])
    assert not control.admit(Connection(), 0.0), "the peer has one"
    control.forget(protocol)
    assert control.admit(Connection(), 0.0)


def test_what_replaces_a_refused_connection_is_refused_a9() -> None:
    control = full(Connection())
    handshake, protocol = Connection(), Connection()
    assert not control.admit(handshake, 0.0)
    control.replace(handshake, protocol)
    assert not control.admit(protocol, 0.0)
    assert not control.admit(Connection(), 0.0)
    assert (handshake.closed, protocol.closed) == (False, True), "the oldest of the refused is closed"
