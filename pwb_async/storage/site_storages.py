"""The storages of several sites as one: a lookup is for one site."""

from collections.abc import Sequence

from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Lookup, Storage


class SiteStorages:
    """A Storage that passes each lookup to the storage of its site."""

    def __init__(self, storages: Sequence[Storage]) -> None:
        """storages: by the number of their sites."""
        self._storages = tuple(storages)

    def find(self, lookup: Lookup) -> Finding:
        return self._storages[lookup.site].find(lookup)

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        same = [False] * len(known)
        for site, storage in enumerate(self._storages):
            indexes = [index for index, (lookup, _) in enumerate(known) if lookup.site == site]
            results = storage.revalidate([known[index] for index in indexes]) if indexes else []
            for index, result in zip(indexes, results, strict=True):
                same[index] = result
        return same
