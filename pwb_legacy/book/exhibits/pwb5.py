"""An exhibit, NOT TO BE USED: a greenlet for each client, as in section 9.3.3 of the book (net09_web_PWB5.py)."""

import gevent

from .pwb2 import SingleServer


class GreenletServer(SingleServer):
    """A greenlet for each client."""

    server = "PWB5.0"

    def serve_forever(self) -> None:
        while True:
            client, peer = self.tcp_socket.accept()  # L12: blocks the only thread; L9: an error ends the program
            print(peer, "asks")  # L20: waits for whatever reads standard output
            gevent.spawn(self.handlerequest, client)
