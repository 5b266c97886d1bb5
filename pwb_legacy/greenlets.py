"""PWB5, a greenlet for each client: the code of the thread design, with threads that cost almost nothing.

The plan: take a client; spawn a greenlet that talks with it; take the next. A greenlet that waits for its socket lets
another run; gevent patches the standard library so that the blocking calls of base do so without knowing.
Costs: some 10 kB a client (see README). Only sockets wait kindly: a read from the disk stops all greenlets.
The whole idea is the line that spawns. In the book nothing was patched, so no client was ever answered (L12).
"""

from gevent import monkey

import pwb_async.storage.slow_disk  # noqa: F401  # before the patch: a disk stops all greenlets, a sleep that is patched would not

# Before anybody takes a lock or a socket from the standard library: modes.py sees to that. But not os: its close()
# would keep a descriptor open until the hub has its turn, and a client that asks fast would use up all there are. Nor
# dns: it takes threads to look up the one name that we are to listen on, and there may be none (hazard E4).
monkey.patch_all(os=False, signal=False, dns=False)

from typing import ClassVar  # noqa: E402

import gevent  # noqa: E402

from pwb_legacy.common.http_server import NO_BOUND, HTTPServer  # noqa: E402


class GreenletServer(HTTPServer):
    """A greenlet for each client."""

    capacity: ClassVar[int] = NO_BOUND

    def serve_forever(self) -> None:
        for client in self.clients():
            gevent.spawn(self.handlerequest, client)

    def breathe(self) -> None:
        gevent.idle(2)  # or a fast client lets nobody else run: sleep(0) looks at the sockets only every 5 ms
