"""Attacks on HTTP/2: the response times of other clients beside them, and the memory of the server afterwards."""

import threading
from contextlib import suppress

from tests.http2.attacks import ATTACKS, OPTIONS, Attack, attack
from tests.http2.conftest import H2C

from .harness import MIB
from .testbed import TestBed, measure_other_clients, report_ratio

ATTACKERS = 2
KEPT = 48
"""MiB that attacks may leave behind: the requests that all connections remember together, 44 at most (docs/hazards.md),
and what the attackers' connections have."""


class Attackers:
    """Threads that repeat an attack, each on a new connection, inside the `with` block."""

    def __init__(self, address: tuple[str, int], case: Attack) -> None:
        self.address, self.wire = address, case.wire
        self.attacks = 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.repeat) for _ in range(ATTACKERS)]

    def repeat(self) -> None:
        while not self.over.is_set():
            with suppress(OSError):
                attack(self.address, self.wire)
                self.attacks += 1

    def __enter__(self) -> "Attackers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()


async def http2_attacks(testbed: TestBed) -> None:
    """Each attack again and again, for some seconds."""
    testbed = testbed._replace(design=H2C)
    for number, case in enumerate(ATTACKS):
        name = case.pieces.__name__
        testbed.report.write(f"  {name}:")
        async with (
            testbed.server(f"attacked-{number}", *OPTIONS) as attacked,
            testbed.server(f"alone-{number}", *OPTIONS) as alone,
        ):
            before = attacked.memory()
            with Attackers(attacked.address, case) as attackers:
                crowded, quiet = await measure_other_clients(testbed.size(5, 1), [attacked, alone])
            testbed.report.write(f"    {attackers.attacks} connections attacked")
            report_ratio(testbed, crowded, quiet)
            testbed.report.figure("MiB of memory more", (attacked.memory() - before) / MIB, KEPT)
