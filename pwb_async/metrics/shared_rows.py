"""Memory that the processes of a server share: a row of numbers for each of them.

    header    the phase of the server, how many rows have been used, and the phase of each row: all of them are
              written by the main process, which is the supervisor or the only process
    rows      row 0 belongs to the main process, each other one to a worker, or to nothing

Each number is eight aligned bytes with a single writer, so no lock is needed, and no reader sees half of one. A row
outlives its process: the counters of a worker that has ended stay, and the next one that gets its row continues them.
"""

import errno
import struct
from collections.abc import Sequence
from mmap import mmap
from typing import Final

from .cells import ROW_LENGTH
from .phase import Phase

MAX_ROWS: Final = 1024
"""Rows, of which those that are never used take no memory. While a reload replaces the workers, there are twice as
many."""
MAX_NUMBER: Final = (1 << 64) - 1
"""The largest number that a row can have; as nanoseconds they are 584 years."""
_HEADER: Final = 64
"""Bytes of the header before the phases of the rows."""
_CACHE_LINE: Final = 64
"""Bytes of which a row takes whole ones, so that two processes never write to the same."""


class SharedRows:
    """The rows of one server. It has to be made before the processes that share it are forked."""

    def __init__(self) -> None:
        self._row = struct.Struct(f"{ROW_LENGTH}Q")
        self._stride = -(-self._row.size // _CACHE_LINE) * _CACHE_LINE
        self._start = _HEADER + 8 * MAX_ROWS
        self._memory = mmap(-1, self._start + MAX_ROWS * self._stride)
        self._cells = memoryview(self._memory)[: self._start].cast("Q")
        self.set_phase(Phase.STARTING)
        self._cells[1] = 1

    @property
    def phase(self) -> Phase:
        """The phase of the server."""
        return Phase(self._cells[0])

    def set_phase(self, phase: Phase) -> None:
        """Set the phase of the server."""
        self._cells[0] = phase

    @property
    def used(self) -> int:
        """How many rows have been used so far; those behind are empty."""
        return self._cells[1]

    def phase_of(self, row: int) -> Phase:
        """The phase of the process that a row belongs to."""
        return Phase(self._cells[_HEADER // 8 + row])

    def set_phase_of(self, row: int, phase: Phase) -> None:
        """Set the phase of a row's process; NONE gives the row back."""
        self._cells[_HEADER // 8 + row] = phase

    def claim(self) -> int:
        """Reserve a row for a process that is about to start. Raises OSError if there is none."""
        for row in range(1, MAX_ROWS):
            if self.phase_of(row) is Phase.NONE:
                self.set_phase_of(row, Phase.STARTING)
                self._cells[1] = max(self.used, row + 1)
                return row
        raise OSError(errno.EAGAIN, f"there are {MAX_ROWS} processes already")

    def rows_in(self, *phases: Phase) -> list[int]:
        """The rows whose processes are in one of these phases."""
        return [row for row in range(self.used) if self.phase_of(row) in phases]

    def read(self, row: int) -> tuple[int, ...]:
        """The numbers of a row."""
        return self._row.unpack_from(self._memory, self._start + row * self._stride)

    def write(self, row: int, numbers: Sequence[int]) -> None:
        """Replace the numbers of a row, each of them at once; only the row's process may call this."""
        self._row.pack_into(self._memory, self._start + row * self._stride, *numbers)
