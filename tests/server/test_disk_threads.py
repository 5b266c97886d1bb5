"""The threads for calls to the disk: batches, slow and hanging calls, limits, and their end."""

import asyncio
import gc
import logging
import math
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from pwb_async.server import disk_threads
from pwb_async.server.disk_threads import DiskThreads

TIMEOUT = 10
Runner = Callable[[Coroutine[Any, Any, None]], None]


@asynccontextmanager
async def pool(max_threads: int = 32, max_calls: int = 4096, timeout: float = TIMEOUT) -> AsyncIterator[DiskThreads]:
    threads = DiskThreads("test-disk", max_threads, max_calls, timeout)
    try:
        yield threads
    finally:
        threads.close()


def names() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("test-disk"))


async def ended() -> None:
    """Wait until no thread of a pool is left."""
    while names():
        await asyncio.sleep(0.001)


class Hanging:
    """A call that hangs until `free` is set; `begun` is set when it has begun."""

    def __init__(self) -> None:
        self.begun, self.free = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.free.wait(TIMEOUT)
        return "late"


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    call = Hanging()
    yield call
    call.free.set()


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest, hanging: Hanging) -> Iterator[Runner]:
    """Runs a coroutine in an event loop of its own, of either kind. Afterwards no thread is left."""

    async def bounded(coroutine: Coroutine[Any, Any, None]) -> None:
        async with asyncio.timeout(TIMEOUT):
            await coroutine

    with asyncio.Runner(loop_factory=request.param) as runner:
        yield lambda coroutine: runner.run(bounded(coroutine))
        hanging.free.set()
        runner.run(bounded(ended()))


def thread_name() -> str:
    return threading.current_thread().name


def test_results_and_exceptions_reach_the_loop(run: Runner) -> None:
    async def main() -> None:
        async with pool() as threads:
            assert (await threads.call(thread_name)).startswith("test-disk_")
            assert await threads.submit(divmod, 7, 2) == (3, 1)
            for error in (ValueError, SystemExit):
                with pytest.raises(error):
                    await threads.submit(lambda error: (_ for _ in ()).throw(error), error)
            assert await asyncio.get_running_loop().run_in_executor(threads, divmod, 7, 2) == (3, 1)  # type: ignore[arg-type]

    run(main())


def test_the_calls_of_one_turn_have_one_thread_and_wake_the_loop_once(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_threads, "_CHECK_INTERVAL", TIMEOUT)  # the machine may be slow

    async def main() -> None:
        async with pool() as threads:
            await threads.call(thread_name)
            woken: list[object] = []

            class Loop:
                """The running loop, which counts how often it is woken."""

                def __init__(self) -> None:
                    self.loop = asyncio.get_running_loop()

                def __getattr__(self, name: str) -> Any:
                    return getattr(self.loop, name)

                def call_soon_threadsafe(self, callback: Callable[[], object]) -> object:
                    woken.append(callback)
                    return self.loop.call_soon_threadsafe(callback)

            monkeypatch.setattr(threads, "_loop", Loop())
            found = await asyncio.gather(*(threads.call(thread_name) for _ in range(5)))
            assert found == ["test-disk_0"] * 5
            assert len(woken) == 1
            assert names() == ["test-disk_0"]

    run(main())


def test_e6_a_call_that_hangs_holds_up_only_itself(run: Runner, hanging: Hanging) -> None:
    """Neither those before it, which are done, nor those behind it."""

    async def main() -> None:
        async with pool() as threads:
            before = [threads.call(thread_name) for _ in range(3)]
            hangs = threads.call(hanging)
            behind = [threads.call(thread_name) for _ in range(3)]
            await asyncio.gather(*before, *behind)
            later = threads.call(thread_name)
            assert await later != before[0].result()
            assert not hangs.done()
            hanging.free.set()
            assert await hangs == "late"

    run(main())


def test_e6_calls_are_made_as_long_as_one_thread_is_left(run: Runner, hanging: Hanging) -> None:
    async def main() -> None:
        async with pool(max_threads=5) as threads:
            hang = [threads.call(hanging) for _ in range(4)]
            for _ in range(10):
                await threads.call(thread_name)
            assert len(names()) == 5
            more = [threads.call(hanging) for _ in range(4)]
            waiting = threads.call(thread_name)
            await asyncio.sleep(0.05)
            assert not waiting.done()
            assert len(names()) == 5, "the bound on threads"
            hanging.free.set()
            assert set(await asyncio.gather(*hang, *more)) == {"late"}
            await waiting

    run(main())


def test_slow_calls_are_made_at_the_same_time(run: Runner) -> None:
    async def main() -> None:
        async with pool() as threads:
            together = threading.Barrier(20)
            await asyncio.gather(*(threads.submit(together.wait, TIMEOUT) for _ in range(20)))

    run(main())


def test_a_late_call_fails_and_counts_until_it_has_ended(run: Runner, hanging: Hanging) -> None:
    async def main() -> None:
        async with pool(max_threads=1, max_calls=2, timeout=0.05) as threads:
            ran: list[int] = []
            late, queued = threads.call(hanging, str.upper), threads.submit(ran.append, 1)
            with pytest.raises(TimeoutError, match="too many"):
                await threads.call(thread_name)
            assert (await threads.call(thread_name, str.upper)).startswith("TOO MANY")
            assert await late == "THE DISK DOES NOT ANSWER"
            with pytest.raises(TimeoutError, match="the disk does not answer"):
                await queued
            with pytest.raises(TimeoutError, match="too many"):
                await threads.call(thread_name)
            hanging.free.set()
            threads.set_timeout(TIMEOUT)
            while True:
                try:
                    await threads.call(thread_name)
                    break
                except TimeoutError:
                    await asyncio.sleep(0.001)
            assert not ran, "a late call was begun"

    run(main())


@pytest.mark.parametrize("before", [TIMEOUT, math.inf])
def test_a_shorter_timeout_is_that_of_all_calls(run: Runner, hanging: Hanging, before: float) -> None:
    async def main() -> None:
        async with pool(timeout=before) as threads:
            first = threads.call(hanging, str)
            await asyncio.sleep(0)  # so that its deadline is waited for
            threads.set_timeout(0.05)
            second = threads.call(hanging, str)
            begin = time.monotonic()
            assert await asyncio.gather(first, second) == ["the disk does not answer"] * 2
            assert time.monotonic() - begin < TIMEOUT / 2

    run(main())


def test_each_call_has_its_own_deadline(run: Runner, hanging: Hanging) -> None:
    async def main() -> None:
        async with pool(timeout=0.1) as threads:
            begin = time.monotonic()
            first = threads.call(hanging, str)
            await asyncio.sleep(0.06)
            second = threads.call(hanging, str)
            await first
            assert not second.done()
            await second
            assert time.monotonic() - begin > 0.15

    run(main())


def test_a_cancelled_call_is_not_begun(run: Runner, hanging: Hanging) -> None:
    async def main() -> None:
        async with pool(max_threads=1) as threads:
            ran: list[int] = []
            hangs, queued = threads.call(hanging), threads.submit(ran.append, 1)
            queued.cancel()
            hanging.free.set()
            await hangs
            await threads.call(thread_name)
            assert not ran

    run(main())


def test_a12_nothing_keeps_a_result_that_is_not_wanted(run: Runner, hanging: Hanging) -> None:
    """A late result, and one that has been passed on, while the thread is idle."""

    class File:
        pass

    async def main() -> None:
        made: list[weakref.ref[File]] = []

        def late() -> File:
            hanging()
            return prompt()

        def prompt() -> File:
            made.append(weakref.ref(file := File()))
            return file

        async with pool(timeout=0.05) as threads:
            with pytest.raises(TimeoutError):
                await threads.call(late)
            hanging.free.set()
            threads.set_timeout(TIMEOUT)
            await threads.call(prompt)
            while len(made) < 2 or any(ref() for ref in made):
                gc.collect()
                await asyncio.sleep(0.001)

    run(main())


def test_a_thread_that_cannot_be_started_is_reported_once_and_the_others_go_on(
    run: Runner, hanging: Hanging, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        async with pool() as threads:
            monkeypatch.setattr(threading.Thread, "start", refuse)
            hangs = threads.call(hanging)
            waiting = threads.call(thread_name)
            await asyncio.sleep(0.1)
            assert not waiting.done()
            hanging.free.set()
            assert await hangs == "late"
            assert await waiting == "test-disk_0"
            with pytest.raises(RuntimeError):
                DiskThreads("test-other", 1, 1)

    with caplog.at_level(logging.ERROR, "pwb"):
        run(main())
    assert [record.getMessage() for record in caplog.records] == [
        "1 threads, and no more can be started: can't start new thread"
    ]


def test_close_ends_idle_threads_at_once_and_others_when_their_call_has_ended(run: Runner, hanging: Hanging) -> None:
    async def main() -> None:
        ran: list[int] = []
        async with pool(max_threads=2) as threads:
            threads.call(hanging)
            await threads.call(thread_name)
            assert len(names()) == 2
            threads.call(hanging)
            threads.submit(ran.append, 1)
        while len(names()) == 2:
            await asyncio.sleep(0.001)
        hanging.free.set()
        await ended()
        assert not ran

    run(main())


def test_close_fails_the_calls_that_have_not_ended(run: Runner, hanging: Hanging) -> None:
    """So nothing waits for a disk that hangs, and no timer is left in the loop."""

    async def main() -> None:
        async with pool(max_threads=1) as threads:
            begun, queued = threads.call(hanging, str.upper), threads.call(thread_name, str.upper)
            awaited, done = threads.call(thread_name), threads.call(thread_name, str.upper)
            done.cancel()
            await asyncio.to_thread(hanging.begun.wait, TIMEOUT)
        assert (begun.result(), queued.result()) == ("THE SERVER HAS ENDED", "THE SERVER HAS ENDED")
        assert awaited.cancelled()
        assert done.cancelled()
        assert threads.call(thread_name, str.upper).result() == "THE SERVER HAS ENDED"
        assert threads.call(thread_name).cancelled()
        hanging.free.set()
        await ended()

    run(main())


def test_a_result_for_a_loop_that_is_closed_is_dropped(hanging: Hanging) -> None:
    async def main() -> None:
        threads = DiskThreads("test-disk", 1, 1)
        threads.call(hanging)
        await asyncio.to_thread(hanging.begun.wait, TIMEOUT)
        threads.close()

    asyncio.run(main())
    hanging.free.set()
    asyncio.run(ended())


def test_many_calls_of_many_tasks(run: Runner) -> None:
    """Each result reaches the call that it belongs to, whichever thread made it and whenever threads become idle."""

    async def client(threads: DiskThreads, number: int) -> None:
        for turn in range(200):
            assert await threads.submit(lambda *values: values, number, turn) == (number, turn)
            if not turn % 50:
                await threads.submit(time.sleep, 0.002)

    async def main() -> None:
        async with pool() as threads:
            await asyncio.gather(*(client(threads, number) for number in range(30)))

    run(main())
