"""A fault of this server in the work for one connection, which must not end the work for the others."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from .state import ServerConnection

logger: Final = logging.getLogger("pwb")


def contain(connection: ServerConnection, work: Callable[..., object], *arguments: object) -> None:
    """Call a function that works for one connection; log what it raises, and abort this connection then."""
    try:
        work(*arguments)
    except Exception:
        logger.exception("a fault of this server")
        with suppress(Exception):
            connection.abort()
