"""Which tests run with which designs, and how a test gets a server with options of its own."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from .designs import CONCURRENT
from .server import Server

concurrent = pytest.mark.parametrize(
    "design", CONCURRENT, ids=lambda design: design.name, indirect=True, scope="session"
)
"""For what makes no sense with a design that serves one client at a time."""

Start = Callable[..., AbstractAsyncContextManager[Server]]
"""The fixture `start`: `async with start("--grace-period", "1") as server`."""
