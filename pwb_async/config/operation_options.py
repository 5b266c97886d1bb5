"""The options of health, metrics and restarts, a part of those that options.py has."""

from dataclasses import dataclass

from .declarations import Topic, option
from .operation_types import ADMIN, PAGE
from .option_types import PERCENT, SECONDS_OR_0


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # only Options is made
class OperationOptions:
    """The options of health, metrics and restarts."""

    admin: str | None = option(
        Topic.OPERATION,
        None,
        ADMIN,
        "Address or Unix socket with /livez, /readyz, /metrics and a dashboard, for operators only.",
        program="pwb",
    )
    health: str | None = option(
        Topic.OPERATION,
        None,
        PAGE,
        "Path at which /readyz is on the public address, too, without a password.",
        program="pwb",
    )
    max_load: int | None = option(
        Topic.OPERATION,
        None,
        PERCENT,
        "Percent of the connections allowed, from which on the server is not ready (if not given: no limit).",
        program="pwb",
        needs="admin|health",
    )
    shutdown_delay: float = option(
        Topic.OPERATION,
        0.0,
        SECONDS_OR_0,
        "Time from SIGTERM, when /readyz fails, to the stop: until then the server serves on.",
        program="pwb",
    )
