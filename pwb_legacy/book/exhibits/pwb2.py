"""An exhibit, NOT TO BE USED: files by name, as in section 9.2 of the book (net09_web_PWB2.py)."""

import socket
from typing import Final

from .pwb1 import FixedPage

STATIC: Final = "./static/"


class SingleServer(FixedPage):
    """Files, one client at a time."""

    server = "PWB2.0"

    def handlerequest(self, client: socket.socket) -> None:
        """Receive one piece, respond to it, and close the connection."""
        request = client.recv(2048).decode()  # L2: one piece is not all; L3: UnicodeDecodeError; L10: for ever
        self.respond(client, request)
        client.close()  # L8: with unread input, this is a reset

    def respond(self, client: socket.socket, request: str) -> None:
        """Send the file that the request line names, or 404."""
        line = request.splitlines()[0]
        name = line[line.index("/") :].split(" ")[0]  # L3: IndexError or ValueError, if the client likes
        path = STATIC + ("index.html" if name == "/" else name)  # L1: .. and links lead anywhere
        try:
            file = open(path, "rb")  # noqa: SIM115  as in the book
        except FileNotFoundError:  # L4: a folder, a long name and a missing right raise something else
            status, content = "404 Not Found", b"404"
        else:
            status, content = "200 OK", file.read()  # L6: all of it, for each client
            file.close()
        finally:
            head = f"HTTP/1.1 {status}\r\nServer: {self.server}\r\n\r\n"  # L7: no length, no type, no date
            client.send(head.encode() + content)  # L5: what send() returns is ignored
