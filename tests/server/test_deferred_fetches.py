"""Fetches that lookups wait for: once for all, for how long, and what happens while a store fails (E12)."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from pwb_async.core.site.findings import NOT_FOUND, Unavailable
from pwb_async.server.deferred_fetches import DeferredFetches
from pwb_async.server.disk_threads import DiskThreads
from pwb_async.storage.deferred import Deferred, Fetch, FetchError, NoAnswerError, is_deferring


class Store:
    """A caller whose answers a test decides."""

    def __init__(self) -> None:
        self.calls = 0
        self.answer: Callable[[], Any] = lambda: "found"
        self.pause = 0.0
        self.kept: dict[str, str] = {}
        self.may_be_stale = False

    async def call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        self.calls += 1
        await asyncio.sleep(self.pause)
        result = self.answer()
        if isinstance(result, Exception):
            raise result
        return result

    def fetch(self, name: str = "a") -> Fetch:
        return Fetch(self, "get", (name,), lambda found: self.kept.update({name: found}), lambda: self.may_be_stale)


@pytest.fixture
def store() -> Store:
    return Store()


async def test_many_that_want_the_same_make_one_fetch(store: Store) -> None:
    fetches = DeferredFetches(5)
    store.pause = 0.05
    await asyncio.gather(*(fetches.make([store.fetch()]) for _ in range(50)))
    assert (store.calls, store.kept) == (1, {"a": "found"})
    await fetches.make([store.fetch("a"), store.fetch("b"), store.fetch("c")])
    assert store.calls == 4


async def test_no_more_than_so_many_are_made_at_the_same_time(store: Store) -> None:
    fetches, running, most = DeferredFetches(5), 0, 0

    class Counting(Store):
        async def call(self, method: str, arguments: tuple[Any, ...]) -> Any:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1
            return "found"

    counting = Counting()
    await fetches.make([counting.fetch(str(n)) for n in range(1000)])
    assert most == 128
    assert len(counting.kept) == 1000


async def test_a_fetch_takes_no_longer_than_its_timeout(store: Store) -> None:
    fetches = DeferredFetches(0.05)
    store.pause = 60
    with pytest.raises(FetchError, match="does not answer"):
        await fetches.make([store.fetch()])
    assert len(asyncio.all_tasks()) == 1, "it was cancelled"


async def test_what_was_kept_serves_after_a_second_while_the_fetch_goes_on(store: Store) -> None:
    fetches, clock = DeferredFetches(5), asyncio.get_running_loop().time
    store.pause, store.may_be_stale = 1.3, True
    began = clock()
    await fetches.make([store.fetch()])
    assert 0.9 < clock() - began < 1.25
    began = clock()
    await fetches.make([store.fetch("b")])
    assert clock() - began < 0.1, "the store is known to be slow"
    async with asyncio.timeout(5):
        while store.kept.keys() != {"a", "b"}:
            await asyncio.sleep(0.01)


async def test_a_store_that_does_not_answer_is_asked_once_a_second(store: Store) -> None:
    fetches = DeferredFetches(5)
    store.answer = lambda: NoAnswerError("gone")
    with pytest.raises(FetchError):
        await fetches.make([store.fetch()])
    calls = store.calls
    for number in range(100):
        with pytest.raises(FetchError):
            await fetches.make([store.fetch(str(number))])
    assert store.calls - calls <= 1
    store.answer = lambda: "found"
    async with asyncio.timeout(2):
        while store.kept.get("x") != "found":
            try:
                await fetches.make([store.fetch("x")])
            except FetchError:
                await asyncio.sleep(0.01)
    await fetches.make([store.fetch(str(number)) for number in range(50)])


async def test_an_error_of_one_name_is_none_of_the_store(store: Store) -> None:
    fetches = DeferredFetches(5)
    store.answer = lambda: FetchError("500")
    with pytest.raises(FetchError):
        await fetches.make([store.fetch()])
    store.answer = lambda: "found"
    await fetches.make([store.fetch("b")])
    store.answer = lambda: FetchError("500")
    store.may_be_stale = True
    await fetches.make([store.fetch("c")])


async def test_fetches_are_counted_by_their_result(store: Store) -> None:
    fetches = DeferredFetches(0.05)
    results = (lambda: "found", lambda: FetchError("500"), lambda: NoAnswerError("gone"))
    for number, answer in enumerate(results):
        store.answer = answer
        if number:
            with pytest.raises(FetchError):
                await fetches.make([store.fetch(str(number))])
        else:
            await fetches.make([store.fetch("a"), store.fetch("b")])
    assert (fetches.succeeded, fetches.failed, fetches.unanswered, fetches.stale) == (2, 1, 1, 0)
    store.may_be_stale = True
    await fetches.make([store.fetch("c")])
    assert (fetches.unanswered + fetches.succeeded, fetches.stale) == (4, 1) or fetches.unanswered == 2
    store.answer, store.pause = (lambda: "found"), 60
    await fetches.make([store.fetch("d")])
    assert fetches.stale == 2
    assert fetches.seconds > 0


async def test_that_a_store_fails_is_logged_once(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    fetches = DeferredFetches(5)
    store.answer = lambda: NoAnswerError("gone")
    for number in range(3):
        with pytest.raises(FetchError):
            await fetches.make([store.fetch(str(number))])
    store.answer = lambda: "found"
    async with asyncio.timeout(3):
        while "a" not in store.kept:
            try:
                await fetches.make([store.fetch()])
            except FetchError:
                await asyncio.sleep(0.01)
    assert [each.getMessage() for each in caplog.records] == [
        "an object store does not answer; what is known of it is served",
        "the object store answers again",
    ]


async def test_a_lookup_is_made_again_in_a_thread_until_it_needs_nothing(store: Store) -> None:
    fetches, threads = DeferredFetches(5), DiskThreads("test", 2, 100)
    seen: list[tuple[bool, bool]] = []

    def look_up() -> Any:
        seen.append((is_deferring(), threading.current_thread() is threading.main_thread()))
        for name in "abc":
            if name not in store.kept:
                raise Deferred([store.fetch(name)])
        return NOT_FOUND

    assert await fetches.find(threads, look_up) is NOT_FOUND
    assert seen == [(True, False)] * 4
    assert not is_deferring()

    def endless() -> Any:
        raise Deferred([store.fetch("z")])

    assert isinstance(await fetches.find(threads, endless), Unavailable)
    with pytest.raises(TimeoutError):
        await fetches.call(threads, endless)
    with pytest.raises(ZeroDivisionError):
        await fetches.call(threads, lambda: 1 // 0)
    store.answer = lambda: FetchError("no")
    assert await fetches.find(threads, endless) == Unavailable("no")
    threads.close()


async def test_closing_leaves_no_task(store: Store) -> None:
    fetches = DeferredFetches(60)
    store.pause = 60
    task = asyncio.create_task(fetches.make([store.fetch()]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    fetches.close()
    with pytest.raises((asyncio.CancelledError, FetchError)):
        await task
    assert len(asyncio.all_tasks()) == 1


async def test_a_store_that_a_reload_has_replaced_is_forgotten() -> None:
    fetches, store = DeferredFetches(5), Store()
    await fetches.make([store.fetch()])
    replaced = weakref.ref(store)
    del store
    gc.collect()
    assert replaced() is None


async def test_what_was_fetched_while_a_lookup_was_made_is_not_fetched_again(store: Store) -> None:
    fetches, threads = DeferredFetches(5), DiskThreads("test", 1, 5)
    missed, fetched = threading.Event(), threading.Event()

    def look_up() -> str:
        if not store.kept:
            missed.set()
            assert fetched.wait(5)
            raise Deferred([store.fetch()])
        return store.kept["a"]

    lookup = asyncio.create_task(fetches.call(threads, look_up))
    assert await asyncio.to_thread(missed.wait, 5)
    await fetches.make([store.fetch()])
    fetched.set()
    assert await lookup == "found"
    assert store.calls == 1
    threads.close()
