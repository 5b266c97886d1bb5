"""What the options of operation describe: the metrics, and the health check on the public address."""

from typing import TYPE_CHECKING

from pwb_async.config.options import Options
from pwb_async.core.site.access import Guard

if TYPE_CHECKING:
    from pwb_async.metrics.metrics import Metrics


def make_metrics(program: str, options: Options, *, admin: bool) -> "Metrics | None":
    """The metrics, in memory that forked processes share; None if nothing needs them.

    admin: whether there is an admin address, which the service manager may have opened.
    """
    if not admin and (options.health is None or program == "pwb-legacy"):
        return None
    from pwb_async.metrics.metrics import Metrics

    return Metrics()


def find_health_guard(options: Options, metrics: "Metrics | None") -> Guard | None:
    """The guard that responds at the path of --health; None without it."""
    if options.health is None or metrics is None:
        return None
    from pwb_async.admin.health import Health
    from pwb_async.admin.health_guard import health_guard

    return health_guard(options.health, Health(metrics.rows, options.max_load))
