"""Admission control by itself, as all servers use it: who is admitted, who makes room, who is closed (A9, A10)."""

import socket
import threading

from pwb_async.network.admission import AdmissionControl, SharedAdmissionControl


class Client:
    """A connection without bytes."""

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


def full(*clients: Client, max_per_peer: int = 0) -> AdmissionControl[Client]:
    control: AdmissionControl[Client] = AdmissionControl(len(clients), max_per_peer)
    for client in clients:
        assert control.admit(client, 0.0)
    return control


def test_the_longest_idle_connection_makes_room_a9() -> None:
    clients = [Client(3.0), Client(), Client(1.0), Client(2.0)]
    control = full(*clients)
    assert control.admit(Client(), 0.0)
    assert [client.stopped for client in clients] == [False, False, True, False]
    assert control.admit(Client(), 0.0)
    assert [client.stopped for client in clients] == [False, False, True, True]


def test_an_evicted_connection_is_open_until_it_is_closed() -> None:
    """A server that stops waits for it: it may still answer a request that had arrived."""
    client = Client(1.0)
    control = full(client)
    assert control.admit(Client(), 0.0)
    assert client in control.connections
    control.forget(client)
    assert client not in control.connections


def test_of_too_many_refused_the_oldest_is_closed_a9() -> None:
    control = full(Client(), Client())
    refused = [Client() for _ in range(4)]
    assert not any(control.admit(client, 0.0) for client in refused)
    assert [client.closed for client in refused] == [True, True, False, False]


def test_a_refused_connection_counts_neither_in_total_nor_for_its_client_a9_a10() -> None:
    first, second = Client(), Client(peer="127.0.0.2")
    control = full(first, second, max_per_peer=1)
    control.refuse(first)  # no thread can be started for it
    assert control.admit(Client(), 0.0)
    assert not control.admit(Client(), 0.0)


def test_a_closed_connection_does_not_count_before_its_end_is_reported_a9() -> None:
    first, second, third = Client(), Client(), Client()
    control = full(first)
    assert not control.admit(second, 0.0)
    assert not control.admit(third, 0.0)
    assert second.closed
    control.forget(first)
    assert control.admit(Client(), 0.0)


def test_a_process_takes_the_place_of_its_client_a9_a10() -> None:
    client, process = Client(), Client()
    control = full(client, max_per_peer=1)
    control.replace(client, process)
    control.forget(client)
    assert not control.admit(Client(), 0.0)
    control.forget(process)
    assert control.admit(Client(), 0.0)


def test_a_design_has_a_capacity_unless_a_limit_is_given_a9() -> None:
    for max_connections, expected in ((0, 2), (3, 3)):
        control: AdmissionControl[Client] = AdmissionControl(max_connections, 0, capacity=2)
        assert [control.admit(Client(), 0.0) for _ in range(4)].count(True) == expected


def test_threads_may_forget_connections_while_others_are_admitted_a10() -> None:
    """With one connection that is counted twice, or never again, the last one is refused or one too many admitted."""
    control: AdmissionControl[Client] = SharedAdmissionControl(1000, 100)

    def work() -> None:
        for number in range(2000):
            client = Client(peer=f"127.0.0.{number % 2}")
            assert control.admit(client, 0.0)
            control.forget(client)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not control.connections
    assert [control.admit(Client(), 0.0) for _ in range(101)] == [True] * 100 + [False]
