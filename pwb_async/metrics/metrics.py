"""The metrics of a server, as its main process and each of its workers have them."""

import time
from collections.abc import Callable
from contextlib import suppress

from .cells import CELL
from .phase import Phase
from .process_figures import ProcessFigures
from .recorder import Recorder
from .shared_rows import SharedRows


class Metrics:
    """The rows of all processes, and the numbers of this one."""

    rows: SharedRows
    """The rows, which all processes share."""
    recorder: Recorder
    """The numbers of this process."""
    figures: ProcessFigures | None
    """What the kernel has counted for this process; None where there is no proc file system."""
    started_at: float
    """When the server was started, in seconds since the epoch."""
    refresh: Callable[[], object]
    """Measures the gauges of this process and lets all see its numbers; flush() of the recorder unless it is set."""

    def __init__(self) -> None:
        self.rows = SharedRows()
        self.started_at = time.time()
        self.figures = None
        self.use_row(0)

    def use_row(self, row: int) -> None:
        """Count in a row from now on: to be called in a forked process, before it gives up its rights."""
        self.recorder = Recorder(self.rows, row)
        self.refresh = self.recorder.flush
        self.close()  # those of the parent
        with suppress(OSError):
            self.figures = ProcessFigures()
        self.beat()

    def beat(self) -> None:
        """Let all processes see the numbers, and that this process is alive."""
        self.recorder.numbers[CELL["heartbeat"]] = time.monotonic_ns()
        self.recorder.flush()

    def set_phase(self, phase: Phase) -> None:
        """Set the phase of a server that is this process alone."""
        self.rows.set_phase(phase)
        self.rows.set_phase_of(0, phase)

    def close(self) -> None:
        """Close the files of this process's figures."""
        if self.figures is not None:
            self.figures.close()
            self.figures = None
