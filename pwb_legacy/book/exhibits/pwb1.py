"""An exhibit, NOT TO BE USED: a fixed page, as in section 9.1 of the book (net09_web_PWB1.py)."""

import socket


class FixedPage:
    """One page for every request, one client at a time."""

    server = "PWB1.0"

    def __init__(self, address: tuple[str, int]) -> None:
        self.tcp_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.tcp_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp_socket.bind(address)
        self.tcp_socket.listen(128)  # L19: a short queue, IPv4 alone, and nothing handles a signal

    def serve_forever(self) -> None:
        """Accept one client after the other."""
        while True:
            client, peer = self.tcp_socket.accept()
            print(peer, "asks")  # L20: waits for whatever reads standard output
            self.handlerequest(client)  # L9: any exception leaves the loop, and the program ends

    def handlerequest(self, client: socket.socket) -> None:
        """Receive one piece, send the page, and close the connection."""
        request = client.recv(2048)  # L2: one piece is not one request; L10: waits for ever
        print(request.decode())  # L3: not every byte is UTF-8
        head = f"HTTP/1.1 200 OK\r\nServer: {self.server}\r\n\r\n"  # L7: no length, no type, no date
        client.send(head.encode() + b"hello PWB")  # L5: what send() returns is ignored
        client.close()  # L8: with unread input, this is a reset
