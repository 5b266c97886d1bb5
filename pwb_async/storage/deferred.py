"""What a lookup needs that is not here yet: it is fetched while no thread waits, and then the lookup is made again.

A storage whose files are elsewhere answers from what it has kept. Where that is not enough, it raises Deferred in a
thread that has asked for that, by deferring(). The event loop then awaits the fetches, and calls the storage again. So
a store that does not answer holds up no thread, and what is kept is served meanwhile.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any, Final, NamedTuple, Protocol

_thread: Final = local()


class FetchError(Exception):
    """A fetch has failed. Its str is the reason, for the log; it never holds credentials."""


class NoAnswerError(FetchError):
    """A fetch has failed since the store did not answer at all, so that others will fail, too."""


class Caller(Protocol):
    """A client of a store, whose methods are coroutines that raise FetchError."""

    async def call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        """Call a method by its name."""


class Fetch(NamedTuple):
    """Something to be fetched."""

    caller: Caller
    method: str
    """The method of the caller that fetches it."""
    arguments: tuple[Any, ...]
    accept: Callable[[Any], object]
    """Keeps what has been fetched."""
    excuse: Callable[[], bool]
    """Lets what was kept before serve for a short time more; returns whether it may."""

    @property
    def key(self) -> Hashable:
        """What is equal for fetches of the same."""
        return id(self.caller), self.method, self.arguments


class Deferred(Exception):  # noqa: N818  # it is no error
    """A lookup has to be made again, once all of these have been fetched."""

    def __init__(self, fetches: Sequence[Fetch], ahead: Sequence[Fetch] = ()) -> None:
        """ahead: what will probably be needed next, which nothing has to wait for."""
        self.fetches, self.ahead = tuple(fetches), tuple(ahead)


@contextmanager
def deferring() -> Iterator[None]:
    """In this thread, within the block, storages raise Deferred in place of waiting."""
    _thread.is_deferring = True
    try:
        yield
    finally:
        _thread.is_deferring = False


def is_deferring() -> bool:
    """Whether this thread wants Deferred to be raised."""
    return getattr(_thread, "is_deferring", False)
