"""PWB5, a greenlet for each client: the code of the thread design, with threads that cost almost nothing.

The plan: accept a client; spawn a greenlet that serves it; accept the next. gevent replaces the blocking calls of the
standard library (monkey patching): instead of waiting for its socket, a greenlet switches to another one that can run.
Costs: some 10 kB a client (see README). Only socket calls switch: a read from the disk stops all greenlets.
The whole idea is the line that spawns.
The book (9.3.3, net09_web_PWB5.py) did not patch, so no greenlet ever ran and no client was answered (L12;
docs/book.md).
"""

from gevent import monkey

import pwb_async.storage.slow_disk  # noqa: F401  # before the patch, so that its sleep stops all greenlets like a disk

# Before another module imports a lock or a socket from the standard library (see modes.py). os is not patched: its
# close() keeps a descriptor open until the hub runs again, and a client that reconnects fast would use up all
# descriptors. dns is not patched either: it needs threads to look up the one name to listen on, and the system may
# allow none (E4).
monkey.patch_all(os=False, signal=False, dns=False)

import gevent  # noqa: E402

from pwb_legacy.common.http_server import HTTPServer  # noqa: E402


class GreenletServer(HTTPServer):
    """A greenlet for each client."""

    def serve_forever(self) -> None:
        for client in self.clients():
            gevent.spawn(self.handlerequest, client)

    def yield_control(self) -> None:
        # A fast client never makes send() wait, so no other greenlet would run. idle() waits until the hub has polled
        # all sockets once, and with 2, the highest priority, no longer. After sleep(0) the hub would poll them only
        # every 5 ms (A15).
        gevent.idle(2)
