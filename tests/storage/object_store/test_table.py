"""What a store has said: how long it is believed, and how long it serves if the store fails."""

from pwb_async.storage.object_store.table import Table


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(stale: float = 60, most: int = 3) -> tuple[Table[str, int], Clock]:
    clock = Clock()
    return Table(10, stale, most, clock), clock


def test_a_value_is_fresh_for_its_time() -> None:
    table, clock = make()
    assert table.get("a") is table.known("a") is None
    table.put("a", 1)
    clock.now += 10
    assert table.get("a") == (1,)
    clock.now += 0.1
    assert table.get("a") is None
    assert table.known("a") == 1
    table.renew("a")
    assert table.get("a") == (1,)
    table.renew("b")
    assert table.known("b") is None


def test_a_value_serves_longer_if_the_store_fails_but_not_for_ever() -> None:
    table, clock = make(stale=60)
    table.put("a", 1)
    for _ in range(60):
        clock.now += 1.1
        assert table.excuse("a") == (clock.now <= 1070)
        assert (table.get("a") is not None) == (clock.now <= 1071)
    assert not table.excuse("b")


def test_values_may_count_as_many() -> None:
    table = Table[str, str](10, 60, 5, weigh=len)
    for name in ("aa", "bbb", "c"):
        table.put(name, name)
    assert [table.known(name) for name in ("aa", "bbb", "c")] == [None, "bbb", "c"]
    table.put("bbb", "b")
    table.put("aaa", "aaa")
    assert [table.known(name) for name in ("bbb", "c", "aaa")] == ["b", "c", "aaa"]
    table.put("long", "x" * 100)
    assert table.known("long") == "x" * 100, "one is kept, whatever it weighs"
    table.forget("long")
    table.put("c", "ccccc")
    assert table.known("c") == "ccccc"


def test_an_excuse_never_shortens_what_is_fresh() -> None:
    table, clock = make()
    table.put("a", 1)
    assert table.excuse("a")
    clock.now += 9
    assert table.get("a") == (1,)


def test_what_was_used_longest_ago_is_dropped() -> None:
    table, _ = make(most=3)
    for number, name in enumerate("abc"):
        table.put(name, number)
    table.get("a")
    table.put("d", 3)
    assert [table.known(name) for name in "abcd"] == [0, None, 2, 3]
    table.forget("a")
    table.forget("a")
    assert table.known("a") is None
