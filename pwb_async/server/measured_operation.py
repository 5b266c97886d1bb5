"""A server that measures itself, and with --admin shows the measurements."""

from pwb_async.metrics.metrics import Metrics
from pwb_async.metrics.phase import Phase

from .measuring import Measuring
from .operation import Operation
from .state import ServerState


class MeasuredOperation(Operation):
    """The metrics of a server, and its admin address if it has one.

    Args:
        state: The state of the server.
        metrics: Its metrics.
        interval: Seconds between two sweeps.
    """

    def __init__(self, state: ServerState, metrics: Metrics, interval: float) -> None:
        self._metrics = metrics
        self._measuring = Measuring(metrics, state, interval)
        self._admin = None
        if state.context.admin_sockets:
            from .admin_server import AdminServer  # --health does without it

            self._admin = AdminServer(state)

    async def open(self) -> None:
        self._measuring.refresh()
        self._metrics.beat()
        if self._admin is not None:
            await self._admin.open()

    async def drain(self) -> None:
        if self._admin is not None:
            await self._admin.drain()

    async def close(self) -> None:
        if self._admin is not None:
            await self._admin.close()

    def maintain(self, now: float) -> None:
        self._measuring.beat(now)
        if self._admin is not None:
            self._admin.check(now)

    def refresh(self) -> None:
        self._measuring.refresh()

    def count(self, name: str) -> None:
        self._metrics.recorder.count(name)

    def set_serving(self) -> None:
        self._set_phase(Phase.SERVING)

    def set_stopping(self) -> None:
        self._set_phase(Phase.STOPPING)

    def _set_phase(self, phase: Phase) -> None:
        if self._metrics.recorder.row == 0:  # that of the only process
            self._metrics.set_phase(phase)
