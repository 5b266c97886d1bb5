"""Several directories as one storage, and the storages of several sites as one."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pwb_async.core.site.findings import NOT_FOUND, Directory, Finding, OpenFile
from pwb_async.core.site.lookup import NO_REQUEST, Candidate, EntryKind, Lookup, Storage
from pwb_async.storage.disk import Disk
from pwb_async.storage.mounts import Mount, Mounts
from pwb_async.storage.site_storages import SiteStorages


class Counting:
    """A disk that counts its calls."""

    def __init__(self, root: Path) -> None:
        self.disk = Disk(root)
        self.found = self.checked = 0

    def find(self, lookup: Lookup) -> Finding:
        self.found += 1
        return self.disk.find(lookup)

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        self.checked += 1
        return self.disk.revalidate(known)


@pytest.fixture
def disks(tmp_path: Path) -> dict[bytes, Counting]:
    for name, files in (("root", ("a", "docs/b", "404")), ("docs", ("b", "sub/c", "_headers")), ("api", ("d",))):
        for file in files:
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text(f"{file} of {name}")
    return {
        b"": Counting(tmp_path / "root"),
        b"docs": Counting(tmp_path / "docs"),
        b"docs/api": Counting(tmp_path / "api"),
    }


@pytest.fixture
def mounts(disks: dict[bytes, Counting]) -> Mounts:
    return Mounts([Mount(path, disk) for path, disk in disks.items()])


def lookup_of(*paths: bytes, kind: EntryKind = EntryKind.ANY) -> Lookup:
    return Lookup(NO_REQUEST, paths[0], tuple(Candidate(path, kind) for path in paths))


def content(storage: Storage, *paths: bytes) -> tuple[bytes, bytes | None] | None:
    found = storage.find(lookup_of(*paths, kind=EntryKind.FILE))
    return (found.path, found.content) if isinstance(found, OpenFile) else None


def test_each_path_is_of_the_mount_with_the_longest_path(mounts: Mounts) -> None:
    assert content(mounts, b"a") == (b"a", b"a of root")
    assert content(mounts, b"docs/b") == (b"docs/b", b"b of docs")
    assert content(mounts, b"docs/sub/c") == (b"docs/sub/c", b"sub/c of docs")
    assert content(mounts, b"docs/api/d") == (b"docs/api/d", b"d of api")
    assert content(mounts, b"docs2/b") is content(mounts, b"docs/a") is content(mounts, b"docs/api/b") is None
    assert isinstance(mounts.find(lookup_of(b"docs")), Directory)
    assert isinstance(mounts.find(lookup_of(b"docs/api", kind=EntryKind.DIRECTORY)), Directory)


def test_candidates_of_several_mounts_in_order(mounts: Mounts, disks: dict[bytes, Counting]) -> None:
    assert content(mounts, b"docs/x", b"docs/y", b"404") == (b"404", b"404 of root")
    assert (disks[b"docs"].found, disks[b""].found) == (1, 1), "one call for all candidates of a mount"
    assert content(mounts, b"docs/x", b"a", b"docs/b") == (b"a", b"a of root")
    assert content(mounts, b"docs/_headers", b"docs/_REDIRECTS") is None


def test_without_a_root_all_other_paths_are_missing(disks: dict[bytes, Counting]) -> None:
    mounts = Mounts([Mount(b"docs", disks[b"docs"])])
    assert mounts.find(lookup_of(b"a", b"", b"docs2/b")) is NOT_FOUND
    assert content(mounts, b"b", b"docs/b", b"404") == (b"docs/b", b"b of docs")


def known(storage: Storage, *paths: bytes, site: int = 0) -> tuple[Lookup, OpenFile]:
    lookup = replace(lookup_of(*paths, kind=EntryKind.FILE), site=site)
    found = storage.find(lookup)
    assert isinstance(found, OpenFile)
    return lookup, found._replace(settled=True)


def test_revalidation(mounts: Mounts, disks: dict[bytes, Counting], tmp_path: Path) -> None:
    entries = [
        known(mounts, b"a"),
        known(mounts, b"docs/b", b"404"),
        known(mounts, b"docs/sub/c"),
        known(mounts, b"docs/x", b"docs/b"),
        known(mounts, b"docs/x", b"404"),
        known(mounts, b"docs/api/d"),
    ]
    assert mounts.revalidate(entries) == [True, True, True, True, False, True]
    assert [disk.checked for disk in disks.values()] == [1, 1, 1]
    (tmp_path / "docs" / "b").write_text("another")
    (tmp_path / "root" / "a").unlink()
    assert mounts.revalidate(entries) == [False, False, True, False, False, True]
    (tmp_path / "docs" / "x").write_text("it has appeared")
    assert mounts.revalidate([entries[3]]) == [False]
    alone = Mounts([Mount(b"docs", disks[b"docs"])])
    assert alone.revalidate([entries[0], entries[2]]) == [False, True]


def test_each_lookup_is_for_one_site(disks: dict[bytes, Counting]) -> None:
    sites = SiteStorages([disks[b""], disks[b"docs"], disks[b"docs/api"]])
    entries = [known(sites, b"b", site=1), known(sites, b"a"), known(sites, b"sub/c", site=1)]
    assert [found.content for _, found in entries] == [b"b of docs", b"a of root", b"sub/c of docs"]
    assert sites.find(replace(lookup_of(b"a"), site=1)) is NOT_FOUND
    assert sites.revalidate(entries) == [True, True, True]
    assert [disk.checked for disk in disks.values()] == [1, 1, 0]
    assert sites.revalidate([(replace(entries[0][0], site=0), entries[0][1])]) == [False]
