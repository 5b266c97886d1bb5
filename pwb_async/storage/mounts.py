"""Several directories as one storage: each path is looked up in the one that is mounted there (--mount, --prefix)."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from pwb_async.core.site.findings import NOT_FOUND, Finding, Moved, NotFound, OpenFile
from pwb_async.core.site.lookup import Candidate, Lookup, Storage
from pwb_async.core.site.patterns import RESERVED

from .errors import with_error_page


class Mount(NamedTuple):
    """A storage, and the path at which a site has it."""

    path: bytes
    """Without a slash at either end; b"" for the root of the site."""
    storage: Storage

    def beneath(self, path: bytes) -> bytes | None:
        """A path of the site as the storage has it; None if it is not of this mount."""
        if not self.path or path == self.path:
            return path[len(self.path) :]
        return path[len(self.path) + 1 :] if path.startswith(self.path + b"/") else None

    def above(self, path: bytes) -> bytes:
        """A path of the storage as the site has it."""
        return self.path + b"/" + path if self.path and path else self.path or path


class Mounts:
    """A Storage of several. A path belongs to the mount with the longest path that it begins with, or to none.

    A lookup costs one call to each storage to which some of its candidates belong, until something is found.
    """

    def __init__(self, mounts: Sequence[Mount]) -> None:
        self._mounts = sorted(mounts, key=lambda mount: len(mount.path), reverse=True)

    def find(self, lookup: Lookup) -> Finding:
        return with_error_page(lookup, self._find_first(lookup), self._find_first)

    def _find_first(self, lookup: Lookup) -> Finding:
        for mount, candidates in groupby(lookup.candidates, lambda each: self._mount_of(each.path)):
            if mount is None:
                continue
            finding = mount.storage.find(_below(mount, lookup, tuple(candidates)))
            if isinstance(finding, OpenFile):
                return finding._replace(path=mount.above(finding.path))
            if isinstance(finding, Moved):
                return Moved(mount.above(finding.path))
            if not isinstance(finding, NotFound):
                return finding
        return NOT_FOUND

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """Whether each file is unchanged. One whose lookup tried another mount before counts as changed."""
        same = [False] * len(known)
        calls: dict[Mount, list[int]] = {}
        for index, (lookup, found) in enumerate(known):
            mount = self._mount_of(found.path)
            first = lookup.candidates[0].path if lookup.candidates else None
            if mount is not None and first is not None and mount is self._mount_of(first):
                calls.setdefault(mount, []).append(index)
        for mount, indexes in calls.items():
            results = mount.storage.revalidate([self._known(mount, *known[index]) for index in indexes])
            for index, result in zip(indexes, results, strict=True):
                same[index] = result
        return same

    def _mount_of(self, path: bytes) -> Mount | None:
        return next((mount for mount in self._mounts if mount.beneath(path) is not None), None)

    def _known(self, mount: Mount, lookup: Lookup, found: OpenFile) -> tuple[Lookup, OpenFile]:
        first = tuple(next(groupby(lookup.candidates, lambda each: self._mount_of(each.path)))[1])
        return _below(mount, lookup, first), found._replace(path=mount.beneath(found.path) or b"")


def _below(mount: Mount, lookup: Lookup, candidates: Sequence[Candidate]) -> Lookup:
    """A lookup with those of these candidates that may be served, as the storage of the mount has them."""
    below = ((each, mount.beneath(each.path) or b"") for each in candidates)
    own = tuple([each._replace(path=path) for each, path in below if path.lower() not in RESERVED])
    return replace(lookup, candidates=own, error_directory=None)
