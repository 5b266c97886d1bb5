"""What a supervisor counts in the metrics of its workers."""

from typing import TYPE_CHECKING

from pwb_async.metrics.phase import Phase

if TYPE_CHECKING:
    from pwb_async.metrics.metrics import Metrics


class SupervisorMetrics:
    """The metrics, if there are any.

    Args:
        metrics: The metrics; None for none.
    """

    def __init__(self, metrics: "Metrics | None") -> None:
        self._metrics = metrics

    def set_phase(self, phase: Phase) -> None:
        """Note what the server is doing."""
        if self._metrics is not None:
            self._metrics.rows.set_phase(phase)

    def count(self, name: str) -> None:
        """Add one to a counter, by its name in metrics/cells.py."""
        if self._metrics is not None:
            self._metrics.recorder.count(name)
