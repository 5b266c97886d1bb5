"""What is directly beneath a prefix of a store, of which there may be a million objects.

A store lists in pages of a thousand, in one of two ways. Either it leaves out what is deeper; but then obstore returns
all pages at once, which for a million objects are 1.1 GB and stop the event loop for seconds. Or it lists all that is
beneath, page by page; that can be stopped, and go on behind a folder, but takes a request for each folder with many
objects. Which is shorter is not known before. So where the first way takes long, the second one is tried at the same
time: whichever ends first counts, and the second alone as soon as it has found many.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .status import ObjectStatus, status_of

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_HEAD_START: Final = 0.1
"""Seconds for which the first way is tried alone: most folders are a page."""
_MANY: Final = 10_000
"""Entries of which the first way would stop the event loop for 50 ms."""
_LAST: Final = "\U0010ffff"
"""What follows all names."""


class Listing(NamedTuple):
    """What is directly beneath a prefix."""

    folders: tuple[str, ...]
    """The names of prefixes beneath it."""
    files: dict[str, ObjectStatus]
    """The objects by their names."""


async def list_folder(store: "ObjectStore", prefix: str, most: int) -> Listing:
    """What is directly beneath a prefix; of more than `most` entries only some, but more than `most`."""
    walk = _Walk(store, prefix, most)
    tasks = [asyncio.ensure_future(_list_at_once(store, prefix))]
    try:
        done, _ = await asyncio.wait(tasks, timeout=_HEAD_START)
        if not done:
            tasks.append(asyncio.ensure_future(walk.run(stop=tasks[0].cancel)))
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].cancelled():
                return await tasks[1]
        return await done.pop()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _list_at_once(store: "ObjectStore", prefix: str) -> Listing:
    """What is directly beneath a prefix, of which there are few objects."""
    import obstore

    found = await obstore.list_with_delimiter_async(store, prefix or None)
    start = len(prefix) + 1 if prefix else 0
    folders = tuple(each.rstrip("/")[start:] for each in found["common_prefixes"])
    files = {each["path"][start:]: status_of(each) for each in found["objects"]}
    return Listing(folders, {name: status for name, status in files.items() if name})


class _Walk:
    """A listing of all beneath a prefix, which leaves out most of what is deeper."""

    def __init__(self, store: "ObjectStore", prefix: str, most: int) -> None:
        self._store, self._most = store, most
        self._prefix = prefix and prefix + "/"
        self._folders: dict[str, None] = {}
        self._files: dict[str, ObjectStatus] = {}

    async def run(self, stop: Any) -> Listing:
        """List. stop: called as soon as many entries have been found."""
        place: str | None = None
        while (following := await self._list_behind(place, stop)) is not None:
            if place is not None and following <= place:
                break  # a store that does not start where it was asked to
            place = following
        for name in self._folders:  # an object that stands for a folder is no file
            if name in self._files and not self._files[name].size:
                del self._files[name]
        return Listing(tuple(self._folders), self._files)

    async def _list_behind(self, place: str | None, stop: Any) -> str | None:
        """List up to a page that ends within a folder; return the place behind it, or None at the end."""
        import obstore

        name = deeper = ""
        stream = obstore.list(self._store, self._prefix.rstrip("/") or None, offset=place, chunk_size=1000)
        async for page in stream:
            for each in page:
                name, deeper, _ = each["path"][len(self._prefix) :].partition("/")
                if deeper:
                    self._folders[name] = None
                elif name:
                    self._files[name] = status_of(each)
            count = len(self._folders) + len(self._files)
            if count > _MANY:
                stop()
            if count > self._most:
                return None
            if deeper:
                return f"{self._prefix}{name}/{_LAST}"
        return None
