"""CPU time of a server whose children come and go, against what it says itself that it has cost."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise

import pytest

from pwb_legacy.compare.measure import cpu_time

CHILDREN = 8
PROGRAM = f"""
import os, resource, sys, time
print("ready", flush=True)
sys.stdin.readline()
for _ in range({CHILDREN}):
    child = os.fork()
    if not child:
        while time.process_time() < 0.03: pass
        if not os.fork():  # a grandchild, that is waited for as well
            while time.process_time() < 0.03: pass
            os._exit(0)
        os.wait()
        os._exit(0)
    os.waitpid(child, 0)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(one.ru_utime + one.ru_stime for one in used), flush=True)
sys.stdin.readline()
"""
"""Forks children of a known cost, and prints what it has used in all: getrusage(2) counts the children, too."""
LEAST = CHILDREN * 0.06
"""Seconds that the children burn; forking them costs some more."""
ROUNDING = 2 / cpu_time.probes.TICKS
"""Seconds by which a figure from /proc may be too small: user and system time of ended children are in whole ticks. A
child that is missed is 0.03 s."""


@contextmanager
def in_a_group(pid: int) -> Iterator[Callable[[], float]]:
    with cpu_time.control_group(cpu_time.new_name()) as group:
        if group is None or not group.add(pid):
            pytest.skip("no control group of version 2 can be made here")
        yield group.cpu_seconds


@contextmanager
def in_the_tree(pid: int) -> Iterator[Callable[[], float]]:
    yield lambda: cpu_time.tree_cpu_seconds(pid)


@pytest.mark.parametrize("way", [in_a_group, in_the_tree])
def test_no_child_is_missed(way: Callable[[int], AbstractContextManager[Callable[[], float]]]) -> None:
    """Read as often as possible while children end: the figure never falls, and in the end it is the true one."""
    words = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        with way(process.pid) as read:
            before = read()
            process.stdin.write("go\n")
            process.stdin.flush()
            readings = []
            end = time.monotonic() + 60
            while not readings or (readings[-1] - before < LEAST - ROUNDING and time.monotonic() < end):
                readings.append(read())
            used = float(process.stdout.readline())
            last = read()
            process.stdin.close()
            process.wait()
    falls = [(one, two) for one, two in pairwise(readings) if two < one - ROUNDING]
    assert falls == []
    assert LEAST - ROUNDING <= last - before <= used + ROUNDING
    assert last - before >= used - 0.2 - ROUNDING, "all but the start of the interpreter"
