"""When changes are reported, and which of them together."""

from pwb_async.live_reload.batches import Batch
from pwb_async.live_reload.changes import MODIFIED, Change


def changes(*names: str) -> set[Change]:
    return {(MODIFIED, name) for name in names}


MANY = changes(*map(str, range(21)))


def test_a_save_is_reported_at_once() -> None:
    batch = Batch()
    batch.add(changes("a", "b"), 10.0)
    assert batch.take(10.0) == changes("a", "b")
    assert batch.take(10.0) == set()


def test_nothing_is_no_batch() -> None:
    batch = Batch()
    batch.add(set(), 10.0)
    assert batch.take(20.0) == set()


def test_a_build_is_reported_when_it_pauses() -> None:
    batch = Batch()
    batch.add(MANY, 10.0)
    assert batch.take(10.0) == set()
    batch.add(changes("x"), 10.2)
    batch.add(set(), 10.4)
    assert batch.take(10.4) == set()
    assert batch.take(10.6) == MANY | changes("x")


def test_a_slow_build_is_two_batches() -> None:
    batch = Batch()
    batch.add(changes("0"), 10.0)
    assert batch.take(10.0) == changes("0")
    for number in range(1, 10):
        batch.add(changes(str(number)), 10.0 + number / 10)
        assert batch.take(10.0 + number / 10) == set()
    assert batch.take(11.3) == changes(*map(str, range(1, 10)))


def test_a_save_that_is_not_soon_after_another_is_reported_at_once() -> None:
    batch = Batch()
    for now in (10.0, 10.6, 11.2):
        batch.add(changes("a"), now)
        assert batch.take(now) == changes("a")


def test_what_is_said_to_be_a_build_is_one() -> None:
    batch = Batch()
    batch.add(changes("a"), 10.0, is_build=True)
    assert batch.take(10.1) == set()
    assert batch.take(10.4) == changes("a")


def test_a_build_without_a_pause_is_reported_after_ten_seconds() -> None:
    batch = Batch()
    for tenth in range(100):
        batch.add(MANY, 10.0 + tenth / 10)
        assert batch.take(10.0 + tenth / 10) == set()
    batch.add(MANY, 20.0)
    assert batch.take(20.0) == MANY
