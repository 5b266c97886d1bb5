"""The command `pwb-legacy check`: whether a server of any author keeps the essential rows, told in words.

server.py     starts the server, keeps what it prints, and ends all its processes
exchange.py   the client: bytes to the server, and what comes back within a time
clients.py    clients that are slow, or vanish
examine.py    all rows and clients, one after the other
words/        every sentence that is printed, a file for each language
"""
