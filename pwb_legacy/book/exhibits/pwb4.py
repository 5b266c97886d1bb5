"""An exhibit, NOT TO BE USED: a process for each client, as in section 9.3.2 of the book (net09_web_PWB4.py)."""

import multiprocessing

from .pwb2 import SingleServer

# The book left the start method to Python, and in its time that was fork; from Python 3.14 on it is not.
fork = multiprocessing.get_context("fork")


class ProcessServer(SingleServer):
    """A process for each client."""

    server = "PWB4.0"

    def serve_forever(self) -> None:
        while True:
            client, peer = self.tcp_socket.accept()  # L9: no descriptor is left, and the program ends
            print(peer, "asks")  # L20: waits for whatever reads standard output
            child = fork.Process(target=self.handlerequest, args=(client,))
            child.start()  # L11: the child keeps the listening socket, and is not waited for when it ends
            client.close()
