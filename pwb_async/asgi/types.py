"""The types of ASGI 3.0 (https://asgi.readthedocs.io), as servers and frameworks have them."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
"""What is known of a connection: for "http" a request without its content."""
Message: TypeAlias = MutableMapping[str, Any]
"""What is received or sent."""
Receive: TypeAlias = Callable[[], Awaitable[Message]]
"""A function that waits for the next message of the server."""
Send: TypeAlias = Callable[[Message], Awaitable[None]]
"""A function that passes a message to the server, and waits as long as its buffer is full."""
