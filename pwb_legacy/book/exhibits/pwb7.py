"""An exhibit, NOT TO BE USED: epoll and a thread for each event, as in section 9.4 of the book (net09_web_PWB7.py)."""

import select
from threading import Thread

from .pwb6 import EpollServer


class EpollThreadServer(EpollServer):
    """Epoll for the sockets, a thread for each event."""

    server = "PWB7.0"

    def serve_forever(self) -> None:
        while True:
            for fd, events in self.epoll.poll():
                if fd == self.tcp_socket.fileno():
                    self.accept()
                elif events == select.EPOLLIN:  # L15: an event may have more bits than this one
                    # L16: another event of the same client gets another thread; L18: without a bound
                    Thread(target=self.handlerequest, args=(fd,)).start()
