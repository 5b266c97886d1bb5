"""How fast responses are sent, as arithmetic: connections take turns, and the rate is kept."""

from itertools import count

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.networks import Networks
from pwb_async.core.site.limit_rules import Limit, SendLimit
from pwb_async.core.site.lookup import NO_REQUEST
from pwb_async.limits.send_rates import SendPace, SendRates
from pwb_async.limits.shared_buckets import SharedBuckets

SECOND = 1_000_000_000


def pace_of(rates: SendRates, client: str = "192.0.2.1") -> SendPace:
    pace = rates.pace({}, client, NO_REQUEST)
    assert pace is not None
    return pace


def rates(rate: int = 0, *totals: int, exempt: Networks | None = None) -> SendRates:
    sending = SendLimit(rate, b"", tuple((b"%d" % number, total) for number, total in enumerate(totals)))
    limit = Limit("", sending=sending, exempt=exempt or Networks())
    return SendRates(lambda request: limit, (limit,), SharedBuckets())


def sent_within(seconds: int, *paces: SendPace, start: int = 50 * SECOND) -> list[int]:
    """The bytes of each pace that may leave when all of them always have something to send."""
    sent = [0] * len(paces)
    for now in range(start, start + seconds * SECOND, SECOND // 1000):
        for number, pace in enumerate(paces):
            sent[number] += pace.take(1_000_000, now)
    return sent


def test_a_connection_has_its_rate() -> None:
    (sent,) = sent_within(10, pace_of(rates(10_000)))
    assert 100_000 <= sent <= 102_500
    one, other = sent_within(10, *(pace_of(each) for each in [rates(10_000)] * 2))
    assert one == other == sent


def test_a_total_is_shared_in_turns() -> None:
    shared = rates(0, 100_000)
    sent = sent_within(10, *(pace_of(shared) for _ in range(20)))
    assert 990_000 <= sum(sent) <= 1_040_000
    assert max(sent) - min(sent) <= 2 * 1024


def test_no_connection_waits_long_however_many_there_are() -> None:
    shared = rates(0, 8_000_000)
    sent = sent_within(3, *(pace_of(shared) for _ in range(300)))
    assert min(sent) > 3 * 8_000_000 / 300 / 2
    assert pace_of(shared).delay(53 * SECOND) < SECOND


def test_the_lowest_rate_decides() -> None:
    shared = rates(10_000, 1_000_000, 15_000)
    sent = sent_within(10, *(pace_of(shared) for _ in range(2)))
    assert 150_000 <= sum(sent) <= 155_000
    assert 100_000 <= sent_within(10, pace_of(shared), start=100 * SECOND)[0] <= 103_000


def test_an_unused_rate_is_not_saved() -> None:
    pace = pace_of(rates(8000))
    assert pace.take(5, 50 * SECOND) == 5
    (sent,) = sent_within(1, pace, start=1000 * SECOND)
    assert sent <= 8000 * 1.25 + 1000


def test_what_is_given_back_can_be_taken_at_once() -> None:
    pace = pace_of(rates(8000))
    assert pace.take(600, 50 * SECOND) == 600
    pace.give_back(500)
    assert [pace.take(size, 50 * SECOND) for size in (300, 300)] == [300, 200]


def test_delays_are_counted() -> None:
    slow = rates(8000)
    pace = pace_of(slow)
    steps = count()
    while not pace.delay(50 * SECOND):
        assert pace.take(1000, 50 * SECOND) == 1000
        assert next(steps) < 5
    assert pace.take(1, 50 * SECOND) == 0
    assert slow.delays.count == 1
    assert slow.delays.time == pace.delay(50 * SECOND) == SECOND // 8


def test_what_has_no_rate() -> None:
    assert rates(8000, exempt=Networks(["10.0.0.0/8"])).pace({}, "10.0.0.1", NO_REQUEST) is None
    assert rates(8000).pace({}, "192.0.2.1", BadRequest(400, "")) is None
    assert rates().pace({}, "192.0.2.1", NO_REQUEST) is None


def test_a_connection_has_one_pace_for_each_rate() -> None:
    paces: dict[SendLimit, SendPace] = {}
    each = rates(8000)
    assert each.pace(paces, "", NO_REQUEST) is each.pace(paces, "", NO_REQUEST)
    assert len(paces) == 1
