"""Messages to the service manager that started this process (sd_notify(3))."""

import os
import socket
import time


def notify(*assignments: str) -> None:
    """Send variable assignments such as READY=1 or STOPPING=1 to the service manager, if it asked for them.

    An error is ignored: a server that works must not fail because its manager does not read.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # a name in Linux's abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(assignments).encode(), address)
    except OSError:
        return


def notify_reloading() -> None:
    """Report that a reload has begun, with the time, which systemd requires. READY=1 reports that it has ended."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
