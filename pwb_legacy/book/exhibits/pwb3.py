"""An exhibit, NOT TO BE USED: a thread for each client, as in section 9.3.1 of the book (net09_web_PWB3.py)."""

from threading import Thread

from .pwb2 import SingleServer


class ThreadServer(SingleServer):
    """A thread for each client."""

    server = "PWB3.0"

    def serve_forever(self) -> None:
        while True:
            client, peer = self.tcp_socket.accept()  # L9: no descriptor is left, and the program ends
            print(peer, "asks")  # L20: waits for whatever reads standard output
            Thread(target=self.handlerequest, args=(client,)).start()
