"""PWB4, a process for each client: the kernel keeps the clients apart, memory and all.

The plan: accept a client; fork a child process that serves it and ends; close the parent's copy of the client's socket;
accept the next. A child keeps open only what it needs, writes into shared memory since when it is idle, and is reaped.
Costs: about 3 MB and 3 ms a client (see README). One parent forks for all: of 200 busy clients that arrive at once,
some have their first response after more than 2 s. The whole idea is the line that starts the child.
The book (9.3.2, net09_web_PWB4.py) left the listening socket open in its children, and did not wait for them (L11;
docs/book.md).
"""

import signal
from typing import ClassVar

from pwb_legacy.common.child_process import Child, Children, signals_blocked
from pwb_legacy.common.client import Client
from pwb_legacy.common.http_server import HTTPServer


class ProcessServer(HTTPServer):
    """A process for each client."""

    capacity: ClassVar[int] = 256
    child: Child
    """This process as its parent sees it; set in a child process only."""

    def serve_forever(self) -> None:
        with Children(self.context, self.wakeup_writer) as self.children:
            for client in self.clients():
                self.reload_rules()  # here, so that not every child has to; each does while its connection lasts
                with signals_blocked():
                    self._start_child(client)

    def _start_child(self, client: Client) -> None:
        try:
            child = self.children.start(client, self._serve)
        except OSError:  # no more processes: the book's server ended here (L9, E4)
            self.reject(client)
        else:
            self.admission.replace(client, child)
            client.close()

    def _serve(self, child: Child, client: Client) -> None:
        self.child = child
        self.logs_rules = False  # the parent does
        self.handlerequest(client)

    def receive(self, client: Client) -> None:
        with self.child.showing_idle(client):
            super().receive(client)

    def flush_log(self) -> None:
        if self.context.log is not None and self.context.log.reopen_requested:
            self.children.forward_signal(signal.SIGUSR1)
        super().flush_log()
        self.children.forward_log_lines()

    def on_wakeup(self) -> None:
        for child in self.children.reap():
            self.admission.forget(child)
