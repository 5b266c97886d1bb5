"""What the options of operation describe: the metrics, and the health check on the public address."""

from collections.abc import Sequence
from socket import AF_UNIX, socket
from typing import TYPE_CHECKING

from pwb_async.config.options import Options
from pwb_async.core.site.access import Guard

from .access_options import served_hosts

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


def admin_hosts(options: Options, sockets: Sequence[socket]) -> frozenset[bytes]:
    """The hosts that requests on the admin address may name; empty for any, as where other machines reach it.

    Where only this machine does, a browser is here that may have been led to this address by the name of another site.
    """
    addresses = {sock.getsockname()[0] for sock in sockets if sock.family != AF_UNIX}
    if not addresses or not all(address == "::1" or address.startswith("127.") for address in addresses):
        return frozenset()
    own = ("localhost", *(f"[{address}]" if ":" in address else address for address in addresses))
    return frozenset(host.lower().encode() for host in (*own, *served_hosts(options)))
