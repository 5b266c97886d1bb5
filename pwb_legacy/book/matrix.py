"""All attacks on all programs: several programs at a time, since an attack mostly waits."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Final, NamedTuple

from .attacks.catalogue import ATTACKS
from .attacks.outcome import Outcome, other
from .programs import Program
from .running import Running, kill_all, running

AT_ONCE: Final = 8
"""programs that run at the same time"""


class Cell(NamedTuple):
    """What one attack has shown of one program."""

    program: Program
    code: str
    outcome: Outcome


def cells(programs: Iterable[Program], codes: Sequence[str], folder: str) -> Iterator[Cell]:
    """Attack all programs, and yield each cell as soon as it is there. Raises StartError."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        jobs = [
            pool.submit(_attack, program, group, folder) for program in programs for group in _groups(program, codes)
        ]
        for job in as_completed(jobs):
            yield from job.result()
    except BaseException:  # Ctrl-C: an attack that runs ends when its program does
        pool.shutdown(wait=False, cancel_futures=True)
        kill_all()
        raise
    finally:
        pool.shutdown()


def _groups(program: Program, codes: Sequence[str]) -> list[list[str]]:
    """The codes whose attacks can share a running program. An exhibit does not survive its attacks."""
    gentle = [code for code in codes if ATTACKS[code].is_gentle and not program.is_exhibit]
    return [[code] for code in codes if code not in gentle] + ([gentle] if gentle else [])


def _attack(program: Program, codes: list[str], folder: str) -> list[Cell]:
    with running(program, folder, codes[0]) as server:
        return [Cell(program, code, _outcome(code, server)) for code in codes]


def _outcome(code: str, server: Running) -> Outcome:
    try:
        return ATTACKS[code].run(server)
    except OSError as error:  # it cannot be reached: an attack before this one was too much for it
        return other("no-contact", error=error.strerror or error)
