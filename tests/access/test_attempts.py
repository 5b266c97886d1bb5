"""How many passwords a client may try."""

import pytest

from pwb_async.access import attempts
from pwb_async.access.attempts import Attempts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_ten_at_once_and_then_one_every_ten_seconds() -> None:
    clock = Clock()
    tried = Attempts(clock)
    assert [tried.begin("192.0.2.1") for _ in range(12)] == [0] * 10 + [10, 10]
    assert tried.begin("192.0.2.2") == 0
    clock.now += 7
    assert tried.begin("192.0.2.1") == 3
    clock.now += 3
    assert [tried.begin("192.0.2.1") for _ in range(2)] == [0, 10]
    clock.now += 1000
    assert [tried.begin("192.0.2.1") for _ in range(11)] == [0] * 10 + [10]


def test_a_right_password_does_not_count() -> None:
    tried = Attempts(Clock())
    for _ in range(100):
        assert tried.begin("192.0.2.1") == 0
        tried.forgive("192.0.2.1")
    assert not tried._until
    assert [tried.begin("192.0.2.1") for _ in range(2)] == [0, 0]
    tried.forgive("192.0.2.1")
    assert [tried.begin("192.0.2.1") for _ in range(10)] == [0] * 9 + [10]


def test_clients() -> None:
    """A network of IPv6 is one client; a client without an address is not limited."""
    tried = Attempts(Clock())
    assert [tried.begin(f"2001:db8::{number}") for number in range(11)] == [0] * 10 + [10]
    assert tried.begin("2001:db8:0:1::1") == 0
    assert [tried.begin("-") for _ in range(100)] == [0] * 100
    tried.forgive("-")
    assert tried.begin("a:name") == 0


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_MAX_CLIENTS", 3)
    tried = Attempts(Clock())
    for number in range(10):
        tried.begin(f"192.0.2.{number}")
    assert list(tried._until) == [b"192.0.2.7", b"192.0.2.8", b"192.0.2.9"]
