"""python -m pwb_async [ROOT]: the command, from its options to its exit status."""

import asyncio
import logging
from collections.abc import Callable

from .config import load
from .server import Server
from .setup import prepare


def main() -> None:
    """Serves until it is stopped. Exit status 0: stopped; 1: cannot start; 2: a wrong option."""
    options = load("pwb")
    logging.basicConfig(format="pwb: %(message)s", level=logging.WARNING)
    loop_factory = _loop_factory(options.loop)
    setup = prepare("pwb", options)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(Server(setup).run())
    if setup.log:
        setup.log.close()


def _loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name == "asyncio":
        return asyncio.new_event_loop
    try:
        import uvloop
    except ImportError:
        raise SystemExit("pwb: uvloop is not installed; --loop asyncio does without it") from None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
