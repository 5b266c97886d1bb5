"""Token buckets that processes share: how many requests pass, and what a table that is full forgets."""

import os
import random

import pytest

from pwb_async.core.semantics.networks import Networks
from pwb_async.core.site.limit_rules import Limit, RequestLimit, RequestRate
from pwb_async.core.site.lookup import NO_REQUEST
from pwb_async.limits.clients import Clients, client_prefix
from pwb_async.limits.request_limits import RequestLimits
from pwb_async.limits.shared_buckets import SharedBuckets, key_of

SECOND = 1_000_000_000


class Clock:
    now = 50 * SECOND

    def __call__(self) -> int:
        return self.now


def limits(clock: Clock, buckets: SharedBuckets | None = None, **settings: object) -> tuple[RequestLimits, Limit]:
    limit = Limit("the options", RequestLimit(RequestRate(10, 1), 5, b""), **settings)  # type: ignore[arg-type]
    return RequestLimits(lambda request: limit, buckets or SharedBuckets(), 64, clock), limit


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    requests, _ = limits(clock)
    assert [requests.wait("192.0.2.1", NO_REQUEST) for _ in range(7)] == [0] * 5 + [1, 1]
    assert requests.wait("192.0.2.2", NO_REQUEST) == 0
    clock.now += SECOND // 10
    assert [requests.wait("192.0.2.1", NO_REQUEST) for _ in range(2)] == [0, 1]
    clock.now += 100 * SECOND
    assert [requests.wait("192.0.2.1", NO_REQUEST) for _ in range(6)] == [0] * 5 + [1]
    assert (requests.refused, requests.passed) == (4, 0)


def test_whole_seconds_to_wait() -> None:
    clock, buckets = Clock(), SharedBuckets()
    limit = Limit("", RequestLimit(RequestRate(2, 60), 1, b""))
    requests = RequestLimits(lambda request: limit, buckets, 64, clock)
    assert requests.wait("192.0.2.1", NO_REQUEST) == 0
    for later, wait in ((0, 30), (SECOND // 2, 30), (28 * SECOND, 2), (29 * SECOND + SECOND // 2, 1), (30 * SECOND, 0)):
        clock.now = Clock.now + later
        assert requests.wait("192.0.2.1", NO_REQUEST) == wait


def test_an_empty_bucket_fills_at_the_rate_that_a_reload_has_set() -> None:
    clock, buckets = Clock(), SharedBuckets()
    hourly = Limit("", RequestLimit(RequestRate(1, 3600), 5, b""))
    before = RequestLimits(lambda request: hourly, buckets, 64, clock)
    assert [before.wait("192.0.2.1", NO_REQUEST) for _ in range(6)] == [0] * 5 + [3600]
    after, _ = limits(clock, buckets)
    assert after.wait("192.0.2.1", NO_REQUEST) == 1, "it stays empty"
    clock.now += SECOND // 10
    assert [after.wait("192.0.2.1", NO_REQUEST) for _ in range(2)] == [0, 1]


def test_a_dry_run_counts_what_would_be_refused(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    requests, _ = limits(clock, dry_run=True)
    assert not any(requests.wait("192.0.2.1", NO_REQUEST) for _ in range(8))
    assert (requests.refused, requests.passed) == (0, 3)
    clock.now += 2 * SECOND
    assert not any(requests.wait("192.0.2.1", NO_REQUEST) for _ in range(6))
    assert caplog.messages == [
        "dry run: 1 requests over the limit since the last line of this process, the last of 192.0.2.1 over the options",
        "dry run: 3 requests over the limit since the last line of this process, the last of 192.0.2.1 over the options",
    ]


def test_clients_that_are_exempt_and_clients_without_an_address() -> None:
    requests, _ = limits(Clock(), exempt=Networks(["10.0.0.0/8"]))
    for client, limited in (("10.1.2.3", False), ("-", False), ("::ffff:10.1.1.1", False), ("11.1.1.1", True)):
        assert any(requests.wait(client, NO_REQUEST) for _ in range(10)) is limited, client


def test_ipv6_clients_are_networks() -> None:
    assert (
        client_prefix("2001:db8::1", 64)
        == client_prefix("2001:db8::ffff:1", 64)
        != client_prefix("2001:db8:0:1::1", 64)
    )
    assert client_prefix("2001:db8::1", 48) == client_prefix("2001:db8:0:1::1", 48)
    assert client_prefix("2001:db8::1", 128) != client_prefix("2001:db8::2", 128)
    assert client_prefix("fe80::1%eth0", 128) == client_prefix("fe80::1", 128)
    assert client_prefix("a name: of a resolver", 64) == b"a name: of a resolver"
    assert client_prefix("192.0.2.1", 64) != client_prefix("192.0.2.2", 64)


def test_the_keys_of_clients_are_bounded() -> None:
    clients = Clients(b"", Networks(), 64)
    keys = {clients.key(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}") for number in range(20_000)}
    assert len(keys) == 20_000
    assert len(clients._keys) <= 4096


def test_a_million_clients_neither_grow_the_table_nor_free_those_who_send_too_many() -> None:
    """A table of 64 clients: all who are new pass, and the client who has sent most is still limited."""
    buckets, now = SharedBuckets(sets=8), 50 * SECOND
    interval, capacity = SECOND, 100 * SECOND
    busy = key_of(b"", b"busy")
    assert [buckets.take(busy, interval, capacity, now) > 0 for _ in range(102)] == [False] * 100 + [True] * 2
    random.seed(1)
    for _ in range(100_000):
        now += 1000
        assert not buckets.take(random.getrandbits(64) | 1, interval, capacity, now)
    assert buckets.take(busy, interval, capacity, now) > 0
    assert buckets.take(busy, interval, capacity, now + 2 * SECOND) == 0


def test_a_client_is_forgotten_when_its_bucket_is_full() -> None:
    buckets = SharedBuckets(sets=1)
    for key in range(1, 9):
        for _ in range(key):
            assert not buckets.take(key, 10, 100, 1000)
    assert not buckets.take(99, 10, 100, 1015)  # in the place of the first, whose bucket is full
    assert buckets.take(8, 10, 80, 1000) > 0


def test_names_count_apart() -> None:
    assert len({key_of(name, client) for name in (b"", b"0 /a", b"1 /a") for client in (b"a", b"b", b"")}) == 9


def test_processes_count_together() -> None:
    buckets = SharedBuckets()
    for passes in (300, 300, 300, 100, 0):
        if not (child := os.fork()):
            passed = sum(not buckets.take(77, SECOND, 1000 * SECOND, 50 * SECOND) for _ in range(300))
            os._exit(passed != passes)
        assert os.waitpid(child, 0)[1] == 0


def test_processes_at_the_same_time_refuse_no_client_too_early() -> None:
    buckets, children = SharedBuckets(), []
    for _ in range(4):
        if not (child := os.fork()):
            os._exit(any(buckets.take(77, SECOND, 1200 * SECOND, 50 * SECOND) for _ in range(300)))
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4


def test_totals_keep_their_cells() -> None:
    buckets = SharedBuckets(sets=1)
    assert [buckets.total(name) for name in (b"a", b"b", b"a")] == [0, 1, 0]
    for number in range(254):
        buckets.total(b"%d" % number)
    with pytest.raises(ValueError, match="more than 256 rates"):
        buckets.total(b"x")


def test_a_burst_that_no_bucket_can_hold_is_smaller() -> None:
    limit = Limit("", RequestLimit(RequestRate(1, 1_000_000_000), 1 << 40, b""))
    requests = RequestLimits(lambda request: limit, SharedBuckets(sets=1), 64, Clock())
    assert [bool(requests.wait("192.0.2.1", NO_REQUEST)) for _ in range(30)] == [False] * 4 + [True] * 26
