"""PWB4, a process for each client: the kernel keeps the clients apart, memory and all.

The plan: take a client; fork a child that talks with it and ends; close our copy of its socket; take the next. A
child closes whatever it inherited that is none of its business, is reaped when it ends, and asked by a signal to make
room: since when it is idle stands in shared memory, and so does that somebody comes in and the others stand back.
Costs: about 3 MB and 3 ms a client (see README). The whole idea is the line that starts the child.
"""

import signal
from typing import ClassVar

from pwb_async.core.events import ConnectionState
from pwb_legacy.common.child_process import Child, children, coming, letting_in, parenthood, pass_on
from pwb_legacy.common.client import Client
from pwb_legacy.common.http_server import HTTPServer


class ProcessServer(HTTPServer):
    """A process for each client. child: in a child, itself."""

    capacity: ClassVar[int] = 256
    child: Child

    def serve_forever(self) -> None:
        with parenthood(self.open):
            for client in self.clients():
                with letting_in():
                    self._start(client)

    def _start(self, client: Client) -> None:
        try:
            child = Child(client.peer, self.context.log)
            child.start(lambda: self._talk(child, client))
        except OSError:  # no more processes: in the book it was the end of the server (L9, E4)
            self.reject(client)
        else:
            self.open.remove(client)
            self.open.add(child)
            client.close()

    def _talk(self, child: Child, client: Client) -> None:
        child.settle(client.stop, (client.socket, self.context.log, self.context.trace))
        self.child, self.open = child, {client}
        self.handlerequest(client)

    def _receive(self, client: Client) -> None:
        with self.child.waiting(idle=client.connection.state is ConnectionState.IDLE):
            super()._receive(client)

    def write_log(self) -> None:
        if self.context.log is not None and self.context.log.reopen_requested:
            pass_on(signal.SIGUSR1, self.open)
        super().write_log()

    def tidy(self) -> None:
        coming[0] = 0
        self.open -= {child for child in children(self.open) if child.over()}
