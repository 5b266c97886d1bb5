"""Starts one exhibit: `python -m pwb_legacy.book.exhibits NUMBER FOLDER`, for `pwb-legacy book` alone.

`5-patched` is exhibit 5 with gevent's patches, which the book left out: without them it answers nothing, and its other
defects could not be seen.
"""

import sys
from importlib import import_module
from typing import Final

from . import guard

CLASSES: Final = {
    "1": "FixedPage",
    "2": "SingleServer",
    "3": "ThreadServer",
    "4": "ProcessServer",
    "5": "GreenletServer",
    "6": "EpollServer",
    "7": "EpollThreadServer",
}


def main() -> None:
    """Confine this process, and run the exhibit in it until it ends or is killed."""
    guard.require_command()
    name, folder = sys.argv[1:]
    number, _, patched = name.partition("-")
    if patched:
        from gevent import monkey

        monkey.patch_all()
    exhibit = getattr(import_module(f".pwb{number}", __package__), CLASSES[number])
    guard.accept_only(sys.stdin.readline().strip())
    guard.confine(folder)
    sys.setswitchinterval(
        1e-6
    )  # threads take turns as often as they can: a race shows itself in a second, not in a day
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # as in a terminal
    server = exhibit((guard.LOOPBACK, 0))
    host, port = server.tcp_socket.getsockname()
    print(f"exhibit {name}, with defects on purpose, not to be used: listening on http://{host}:{port}/")
    server.serve_forever()


if __name__ == "__main__":
    main()
