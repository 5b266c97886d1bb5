"""The send timeout by itself: progress puts it off, and nothing else does (hazard A4)."""

from pwb_async.network.send_timeout import SendTimeout


def test_a_client_that_takes_something_in_each_period_is_within_its_time_a4() -> None:
    timeout = SendTimeout(8.0, 100.0)
    assert timeout.next_check == 101.0
    assert all(timeout.check(progress, 100.0 + 7 * progress) for progress in range(1, 10))


def test_a_client_that_takes_nothing_is_not_a4() -> None:
    timeout = SendTimeout(8.0, 100.0)
    assert timeout.check(5, 101.0)
    assert timeout.check(5, 108.9)
    assert timeout.next_check == 109.0
    assert not timeout.check(5, 109.0)


def test_a_short_timeout_is_checked_eight_times() -> None:
    assert SendTimeout(0.8, 100.0).next_check == 100.1
