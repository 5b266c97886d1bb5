"""The parts of `pwb-legacy live` by themselves: a row of the page, and the endpoint of the buttons."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from pwb_legacy.compare.live import control
from pwb_legacy.compare.live.control import Control
from pwb_legacy.compare.live.lesson import Lesson
from pwb_legacy.compare.live.processes import holdings
from pwb_legacy.compare.live.row import Row
from pwb_legacy.compare.live.session import duration
from pwb_legacy.compare.live.steady_load import SteadyLoad
from pwb_legacy.compare.live.words import LANGUAGES
from pwb_legacy.compare.load import Outcome
from pwb_legacy.compare.measure.servers import serving
from tests.conformance.server import eventually

from .test_compare import EPOLL

ORIGIN = "http://127.0.0.1:1"


class UnluckyRow(Row):
    """A row whose clients fail at the first attempt."""

    attempts = 0

    def _clients(self, trouble: str) -> AbstractAsyncContextManager[Outcome]:
        self.attempts += 1
        if self.attempts == 1:
            raise OSError("not now")
        return super()._clients(trouble)


@pytest.fixture
async def row(tmp_path: Path) -> AsyncIterator[UnluckyRow]:
    (tmp_path / "index.html").write_text("a page")
    with serving(EPOLL, tmp_path) as server:
        load = SteadyLoad(server.address, True, 20, 0.0)
        load.start([b"/index.html"])
        made = UnluckyRow(EPOLL, server, load)
        yield made
        await made.call_off(["idle"])
        await load.close()


def tick(row: Row) -> None:
    row.tick(holdings([row.pid]).get(row.pid))


async def test_an_ended_server_has_no_figures_of_its_processes(row: UnluckyRow) -> None:
    tick(row)
    await asyncio.sleep(0.1)
    tick(row)
    row.memory_kib = row.memory_before_kib = 10_000
    before = row.figures()
    assert (before["threads"], before["processes"], before["cpu"] is None, before["grown"]) == (1, 1, False, 0.0)
    row.server.process.kill()
    row.server.process.wait()
    tick(row)
    row.memory_kib = 0  # as it is read from then on
    figures = row.figures()
    assert "it ended with status -9" in figures["ended"]
    assert [figures[name] for name in ("cpu", "threads", "processes", "memory", "grown")] == [None] * 5


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_clients_that_failed_to_come_are_sent_again(row: UnluckyRow) -> None:
    row.send("idle")
    await eventually(lambda: row.attempts == 1, 5)
    await asyncio.sleep(0)
    tick(row)
    await eventually(lambda: row.attempts == 2 and row.figures()["clients"] >= 100, 10)


async def test_a_button_pressed_twice_keeps_the_memory_from_before(row: UnluckyRow, tmp_path: Path) -> None:
    row.attempts = 1
    lesson = Lesson([row], 20, 60, tmp_path / "state.json")
    row.memory_kib = 10_000
    assert await lesson.press("idle", "on")
    row.memory_kib = 20_000
    assert await lesson.press("idle", "on")
    assert row.memory_before_kib == 10_000
    assert await lesson.press("idle", "off")
    assert row.memory_before_kib == 0


async def test_a_press_is_finished_also_when_its_exchange_has_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def press(action: str, value: str) -> bool:
        begun.set()
        await may_end.wait()
        ended.set()
        return True

    monkeypatch.setattr(control, "_SECONDS", 0.2)
    endpoint = Control("token", ORIGIN, press)
    await endpoint.start()
    host, _, port = endpoint.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST /token/kill HTTP/1.1\r\nHost: {endpoint.address}\r\nOrigin: {ORIGIN}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        await begun.wait()
        assert await reader.read() == b""
        may_end.set()
        await ended.wait()
    writer.close()
    await endpoint.close()


@pytest.mark.parametrize(
    ("seconds", "told"), [(45, "45 s"), (90, "90 s"), (0.5, "0.5 s"), (120, "2 min"), (1800, "30 min")]
)
def test_a_duration_has_the_unit_that_fits(seconds: float, told: str) -> None:
    assert duration(LANGUAGES["en"]["terminal"], seconds) == told
