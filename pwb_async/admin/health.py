"""The health of a server, as a load balancer or Kubernetes asks for it.

    live     each process that serves has turned its event loop lately; otherwise it should be restarted
    ready    the server accepts connections and is not about to end, and its load is not too high; otherwise it should
             get no new connections

A server that drains is live, since an end of it now would cut responses off.
"""

import time
from typing import Final

from pwb_async.metrics.cells import CELL
from pwb_async.metrics.phase import Phase
from pwb_async.metrics.shared_rows import SharedRows
from pwb_async.metrics.totals import totals

_MAX_SILENCE: Final = 5.0
"""Seconds without a sign of life after which a process counts as stuck. Each gives one ten times a second."""
_CONNECTIONS: Final = ("responding", "idle", "other_connections")


class Health:
    """The health of the server that some rows belong to.

    Args:
        rows: The rows of its processes.
        max_load: Percent of the connections allowed, from which on it is not ready; None for no limit.
    """

    def __init__(self, rows: SharedRows, max_load: int | None = None) -> None:
        self._rows = rows
        self._max_load = max_load

    def why_not_live(self) -> str:
        """Why the server is not live; "" if it is."""
        oldest = time.monotonic_ns() - int(_MAX_SILENCE * 1e9)
        serving = self._rows.rows_in(Phase.SERVING)
        stuck = sum(self._rows.read(row)[CELL["heartbeat"]] < oldest for row in serving)
        return f"{stuck} of {len(serving)} processes do not respond" if stuck else ""

    def why_not_ready(self) -> str:
        """Why the server is not ready; "" if it is."""
        match self._rows.phase:
            case Phase.SERVING:
                return self._overload()
            case Phase.STOPPING:
                return "it is stopping"
            case _:
                return "it is starting"

    def _overload(self) -> str:
        if self._max_load is None:
            return ""
        numbers = totals(self._rows)
        connections = sum(numbers[CELL[name]] for name in _CONNECTIONS)
        allowed = numbers[CELL["allowed_connections"]]
        if connections * 100 < allowed * self._max_load:
            return ""
        return f"{connections} of {allowed} connections are open"
