"""What is read from /proc, against a process that says itself what it has."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pwb_legacy.compare.measure import cpu_time, probes
from pwb_legacy.compare.measure.servers import end
from pwb_legacy.compare.measure.syscalls import counted
from tests.conformance.strace import needs_strace

PROGRAM = """
import os, sys, threading, time
hold = threading.Event()
for _ in range(3):
    threading.Thread(target=hold.wait, daemon=True).start()
child = os.fork()
if not child:
    time.sleep(60)
print("ready", flush=True)
for line in sys.stdin:
    if line == "burn\\n":
        grandchild = os.fork()
        if not grandchild:
            while time.process_time() < 0.2: pass
            os._exit(0)
        os.waitpid(grandchild, 0)
    elif line == "wait\\n":
        for _ in range(10): time.sleep(0.001)
    elif line == "call\\n":
        for _ in range(1000): os.getppid()
    elif line == "grow\\n":
        kept = bytearray(os.urandom(8 << 20))
    print("done", flush=True)
"""


class Told:
    """A process that does as it is told."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid
        self._listen()

    def do(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        self._listen()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline()


@pytest.fixture
def process() -> Iterator[Told]:
    words = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield Told(process)
        end(process)  # type: ignore[arg-type]


def test_threads_and_processes_of_the_whole_tree(process: Told) -> None:
    vitals = probes.vitals(process.pid)
    assert (vitals.processes, vitals.threads) == (2, 5)


def test_the_time_of_a_child_that_has_ended_counts(process: Told) -> None:
    before = cpu_time.tree_cpu_seconds(process.pid)
    process.do("burn")
    assert cpu_time.tree_cpu_seconds(process.pid) - before >= 0.19


def test_memory_grows_by_what_is_held(process: Told) -> None:
    before = probes.vitals(process.pid).memory_kib
    process.do("grow")
    assert probes.vitals(process.pid).memory_kib - before >= 8000


def test_a_wait_is_a_context_switch(process: Told) -> None:
    before = probes.switches(process.pid)
    process.do("wait")
    assert probes.switches(process.pid) - before >= 10


def test_who_is_gone_has_nothing(process: Told) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert probes.birth(gone.pid) == ""
    assert probes.vitals(gone.pid) == probes.Vitals(0, 0, 0, 0)
    assert cpu_time.tree_cpu_seconds(gone.pid) == 0


@needs_strace
async def test_system_calls_are_counted(process: Told) -> None:
    async with counted(process.pid) as count:
        process.do("call")
        count.start()
        process.do("call")
    assert 1000 <= count.within(60.0) < 1100
    assert count.within(0.0) == 0


def test_the_time_of_a_core_counts(process: Told) -> None:
    cores = os.sched_getaffinity(0)
    before = probes.busy_seconds(cores)
    process.do("burn")
    assert probes.busy_seconds(cores) - before >= 0.17
    assert probes.busy_seconds(()) == 0
