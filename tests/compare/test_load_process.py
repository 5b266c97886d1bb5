"""The load generator as a process of its own: a job in, a result out, and an early end."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from pwb_legacy.compare.load import Ask, Outcome, Tally, hold, run
from pwb_legacy.compare.measure import probes
from tests.conformance.server import REPOSITORY

from . import hostile

PAGE = Ask(b"/", b"X: \xe9\r\n")
JOB = {"kind": "closed", "address": ["127.0.0.1", 1], "asks": [{"target": "/"}], "connections": 1, "seconds": 1}


async def process(job: str, meanwhile: Callable[[asyncio.subprocess.Process], Awaitable[None]]) -> tuple[Any, ...]:
    """Its exit status, lines of standard output, and what it says on standard error."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pwb_legacy.compare.load"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert child.stdin is not None
    child.stdin.write(job.encode())
    child.stdin.close()
    await meanwhile(child)
    output, errors = await asyncio.wait_for(child.communicate(), 20)
    return child.returncode, output.decode().splitlines(), errors.decode()


async def nothing(child: asyncio.subprocess.Process) -> None:
    pass


async def test_every_load_runs() -> None:
    async with hostile.server(hostile.saying(hostile.GOOD)) as address:
        core = min(os.sched_getaffinity(0))
        jobs: dict[str, dict[str, Any]] = {
            "closed": {"asks": [PAGE], "connections": 2, "seconds": 0.1, "keep_alive": True, "seed": 3},
            "open_loop": {"asks": [PAGE], "connections": 2, "seconds": 0.1, "rate": 100, "queue": 50},
            "scheduled": {"moments": [(0, PAGE), (0.1, PAGE)], "connections": 2, "timeout": 2},
        }
        for kind, options in jobs.items():
            tally = await asyncio.to_thread(partial(run, kind, core=core, address=address, **options))
            assert tally.requests == tally.histogram.get_total_count() >= 2
            assert not tally.failures
            assert tally.cpu > 0


async def test_hostile_clients_are_held() -> None:
    async with hostile.server(hostile.saying(hostile.GOOD)) as address:

        def work() -> tuple[Outcome, Outcome]:
            with hold("vanishing", address=address, n=3, ask=PAGE, every=0.01) as outcome:
                first = Outcome.from_json(outcome.to_json())
            return first, outcome

        first, last = await asyncio.to_thread(work)
    assert first.answered >= 3
    assert last.left >= first.left
    assert last.n == 3


async def test_what_cannot_be_measured_is_said() -> None:
    with pytest.raises(OSError, match="load: closed: missing a required argument: 'seconds'"):
        await asyncio.to_thread(partial(run, "closed", address=("127.0.0.1", 1), asks=[PAGE], connections=1))


def test_a_core_that_there_is_not_leaves_no_process() -> None:
    before = probes.tree(os.getpid())
    with pytest.raises(OSError, match="Invalid argument"):
        run("closed", core=1023, address=("127.0.0.1", 1), asks=[PAGE], connections=1, seconds=1)
    assert probes.tree(os.getpid()) == before


STOPPED = """
import os, signal, socket, threading, time
from pwb_legacy.compare.load import Ask, process
from pwb_legacy.compare.measure import probes
process._LATE = 0.5
listener = socket.create_server(("127.0.0.1", 0))
def stop():
    listener.accept()[0].recv(100)
    os.kill(next(pid for pid in probes.tree(os.getpid()) if pid != os.getpid()), signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=stop).start()
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    process.run("closed", address=listener.getsockname(), asks=[Ask(b"/")], connections=1, seconds=60)
except OSError as error:
    print(error, len(list(probes.tree(os.getpid()))))
"""


async def test_a_generator_that_does_not_end_is_killed() -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STOPPED), cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(child.communicate(), 20)
    assert output == b"the load generator does not end 1\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("kind", ["closed", "wrk"])
async def test_a_signal_ends_it_and_it_tells_what_it_has(kind: str, number: signal.Signals) -> None:
    if kind == "wrk" and not shutil.which("wrk"):
        pytest.skip("wrk is not installed")
    answered = asyncio.Event()

    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(hostile.GOOD)
        answered.set()

    async def meanwhile(child: asyncio.subprocess.Process) -> None:
        await answered.wait()
        await asyncio.sleep(0.2)  # it goes on for a minute, whatever is left of the first second
        child.send_signal(number)

    async with hostile.server(manner) as address:
        job = JOB | {"kind": kind, "address": address, "seconds": 60}
        status, lines, errors = await process(json.dumps(job), meanwhile)
    assert (status, errors, len(lines)) == (0, "", 1)
    tally = Tally.from_json(json.loads(lines[0]))
    assert tally.interrupted
    assert tally.requests
    assert not tally.failures
    assert tally.seconds < 30


@pytest.mark.parametrize(
    ("job", "complaint"),
    [
        ("", "Expecting value"),
        ("[]", "a job is an object with a kind"),
        ('{"kind": "mad"}', "one of closed, open_loop"),
        (json.dumps(JOB | {"connections": 0}), "connections cannot be 0"),
        (json.dumps(JOB | {"seconds": "long"}), "seconds cannot be 'long'"),
        (json.dumps(JOB | {"seconds": float("inf")}), "seconds cannot be inf"),
        (json.dumps(JOB | {"address": ["localhost", 80]}), "'localhost' does not appear to be an IPv4 or IPv6 address"),
        (json.dumps(JOB | {"address": ["::1", 0]}), "address cannot be"),
        (json.dumps(JOB | {"asks": []}), "asks cannot be []"),
        (json.dumps(JOB | {"asks": [{"target": "/", "colour": 1}]}), "no ask: "),
        (json.dumps(JOB | {"asks": [{"target": 7}]}), "no ask: "),
        (json.dumps(JOB | {"asks": [{"target": "/\u20ac"}]}), "an ask has characters beyond Latin-1: {'target': "),
        (json.dumps(JOB | {"asks": [{"target": "/", "status": True}]}), "no ask: "),
        ('{"kind": []}', "a job is an object with a kind"),
        (json.dumps(JOB | {"address": ["127.0.0.1", True]}), "address cannot be"),
        (json.dumps(JOB | {"connections": True}), "connections cannot be True"),
        (json.dumps(JOB | {"seed": True}), "seed cannot be True"),
        (json.dumps(JOB | {"colour": 1}), "colour cannot be 1"),
        (json.dumps(JOB | {"rate": 1}), "closed: got an unexpected keyword argument 'rate'"),
        (json.dumps({"kind": "scheduled", "address": ["::1", 9], "moments": [[-1, {"target": "/"}]]}), "moment cannot"),
    ],
)
async def test_a_wrong_job_is_one_line(job: str, complaint: str) -> None:
    status, lines, errors = await process(job, nothing)
    assert (status, lines) == (2, [])
    assert errors.startswith("load: ")
    assert complaint in errors
    assert errors.count("\n") == 1
