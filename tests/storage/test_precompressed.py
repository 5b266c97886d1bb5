"""Coded neighbours on a real disk: which one is found, when it is ignored, and that a change of any is seen."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pwb_async.core.semantics.codings import Acceptable, acceptable
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.lookup import Candidate, Lookup
from pwb_async.storage import precompressed
from pwb_async.storage.disk import Disk
from pwb_async.storage.etag import content_tag
from pwb_async.storage.examiner import SMALL
from tests.conformance.coded import br, gz, zst

from .test_disk import a_day_later, as_open_file, make_lookup

CONTENT = b"".join(b"line %d\n" % n for n in range(100))
LONG_AGO = 1_600_000_000
NOBODY = 65534


def codings(value: bytes) -> Acceptable:
    return acceptable(Fields({b"accept-encoding": [value]}, 0))


def lookup(value: bytes = b"gzip, br, zstd", path: bytes = b"d/a.js") -> Lookup:
    return replace(make_lookup(path), candidates=(Candidate(path, compressible=True),), codings=codings(value))


def write(path: Path, content: bytes, mtime: float = LONG_AGO) -> None:
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "d"
    directory.mkdir()
    write(directory / "a.js", CONTENT)
    return directory


@pytest.fixture
def disk(directory: Path) -> Disk:
    return Disk(str(directory.parent), precompressed=True, clock=a_day_later)


def find(disk: Disk, value: bytes = b"gzip, br, zstd") -> OpenFile:
    return as_open_file(disk.find(lookup(value)))


def test_a_neighbour_stands_for_the_file(disk: Disk, directory: Path) -> None:
    coded = br(CONTENT)
    write(directory / "a.js.br", coded, LONG_AGO + 60)
    found = find(disk)
    assert (found.path, found.content, found.size, found.coding) == (b"d/a.js", coded, len(coded), b"br")
    assert found.mtime_ns == LONG_AGO * 10**9
    assert found.tag == content_tag(coded) + b"-br"
    assert found.settled
    assert found.version == find(disk, b"identity").version


def test_only_codings_that_are_accepted_are_looked_for(disk: Disk, directory: Path) -> None:
    write(directory / "a.js.br", br(CONTENT))
    found = find(disk, b"gzip")
    assert (found.content, found.coding, found.neighbours) == (CONTENT, b"", ((),))
    plain = find(disk, b"identity")
    assert (plain.content, plain.coding, plain.neighbours) == (CONTENT, b"", ())


def test_no_neighbour_is_looked_for_where_that_is_off_or_useless(directory: Path) -> None:
    write(directory / "a.js.br", br(CONTENT))
    off = Disk(str(directory.parent), clock=a_day_later)
    assert as_open_file(off.find(lookup())).content == CONTENT
    on = Disk(str(directory.parent), precompressed=True, clock=a_day_later)
    useless = replace(lookup(), candidates=(Candidate(b"d/a.js"),))
    assert as_open_file(on.find(useless)).content == CONTENT
    write(directory / "a.js", b"")
    assert as_open_file(on.find(lookup())).content == b""


def test_a_large_neighbour_is_left_open(disk: Disk, directory: Path) -> None:
    content = os.urandom(SMALL * 2).hex().encode()
    write(directory / "a.js", content)
    write(directory / "a.js.gz", gz(content))
    found = find(disk)
    assert found.file is not None
    assert (found.content, found.size, found.coding) == (None, len(gz(content)), b"gzip")
    assert (found.tag or b"").endswith(b"-gzip")
    assert os.pread(found.file.fileno(), found.size, 0) == gz(content)
    found.file.close()


@pytest.mark.parametrize("kind", ["fifo", "directory", "link out", "unreadable"])
def test_what_cannot_be_served_is_ignored(disk: Disk, directory: Path, kind: str) -> None:
    neighbour = directory / "a.js.br"
    if kind == "fifo":
        os.mkfifo(neighbour)
    elif kind == "directory":
        neighbour.mkdir()
    elif kind == "link out":
        neighbour.symlink_to("/etc/passwd")
    else:
        neighbour.symlink_to("a.js.br")  # a loop; permissions do not bind root
    found = find(disk)
    assert (found.content, found.coding, found.neighbours) == (CONTENT, b"", ((), (), ()))
    assert disk.revalidate([(lookup(), found)]) == [True]


def test_a_neighbour_that_cannot_be_read_is_ignored(
    disk: Disk, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(directory / "a.js.br", br(CONTENT))
    write(directory / "a.js.gz", gz(CONTENT))
    monkeypatch.setattr(precompressed, "holds", _fails_once(precompressed.holds))
    assert find(disk).coding == b"gzip"


def _fails_once(real: Callable[..., bool]) -> Callable[..., bool]:
    calls = []

    def holds(*arguments: object) -> bool:
        calls.append(arguments)
        if len(calls) == 1:
            raise OSError("bad block")
        return real(*arguments)

    return holds


def test_a_file_without_permission_is_not_replaced_by_its_neighbour(disk: Disk, directory: Path) -> None:
    """The neighbour has the rights of the file, and no others."""
    write(directory / "a.js.br", br(CONTENT))
    (directory / "a.js").unlink()
    assert not isinstance(disk.find(lookup()), OpenFile)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a better neighbour": lambda d: write(d / "a.js.br", br(CONTENT)),
    "a worse neighbour": lambda d: write(d / "a.js.gz", gz(CONTENT), LONG_AGO - 60),
    "the neighbour": lambda d: write(d / "a.js.zst", zst(CONTENT), LONG_AGO + 1),
    "the neighbour's end": lambda d: (d / "a.js.zst").unlink(),
    "the file": lambda d: write(d / "a.js", CONTENT[:-1]),
    "the file's end": lambda d: (d / "a.js").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_of_them_is_seen(disk: Disk, directory: Path, change: str) -> None:
    write(directory / "a.js.zst", zst(CONTENT))
    found = find(disk)
    assert found.coding == b"zstd"
    assert disk.revalidate([(lookup(), found)]) == [True]
    CHANGES[change](directory)
    assert disk.revalidate([(lookup(), found)]) == [False]
    if change != "the file's end":
        assert disk.revalidate([(lookup(), find(disk))]) == [True]


def test_a_neighbour_that_is_a_link_is_revalidated_through_it(disk: Disk, directory: Path) -> None:
    write(directory / "real", br(CONTENT))
    (directory / "a.js.br").symlink_to("real")
    found = find(disk)
    assert found.coding == b"br"
    assert disk.revalidate([(lookup(), found)]) == [True]
    write(directory / "real", br(CONTENT), LONG_AGO + 1)
    assert disk.revalidate([(lookup(), found)]) == [False]


def test_a_neighbour_that_has_just_changed_is_read_again(directory: Path) -> None:
    disk = Disk(str(directory.parent), precompressed=True)
    write(directory / "a.js.br", br(CONTENT))
    found = find(disk)
    assert not found.settled
    assert disk.revalidate([(lookup(), found)]) == [False]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_791, 65_792, 200_000])
def test_the_sizes_that_zstd_writes_are_read(tmp_path: Path, size: int) -> None:
    content = b"x" * size
    coded = zst(content)
    (tmp_path / "z").write_bytes(coded)
    with open(tmp_path / "z", "rb") as file:
        assert precompressed.holds(b"zstd", partial(os.pread, file.fileno()), len(coded), size)
        assert not precompressed.holds(b"zstd", partial(os.pread, file.fileno()), len(coded), size + 1)


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        (b"\x28\xb5\x2f\xfd\x00\x68\x01\x00", True),  # no size, a window of 8 MiB
        (b"\x28\xb5\x2f\xfd\x00\x69\x01\x00", False),  # a window of 9 MiB
        (b"\x28\xb5\x2f\xfd\x01\x58\x07\x01\x00", True),  # a dictionary's identifier, no size
        (b"\x28\xb5\x2f\xfd\x60\x2c\x00\x01\x00", True),  # a size of two bytes: 44 + 256
        (b"\x28\xb5\x2f\xfd\x40\x58\x2c\x00\x01\x00", True),  # the same behind a window
        (b"\x28\xb5\x2f\xfd\x60\x2d\x00\x01\x00", False),
        (b"\x50\x2a\x4d\x18\x00\x00\x00\x00", False),  # a skippable frame
    ],
)
def test_the_header_of_a_zstd_frame(tmp_path: Path, header: bytes, holds: bool) -> None:
    (tmp_path / "z").write_bytes(header)
    with open(tmp_path / "z", "rb") as file:
        assert precompressed.holds(b"zstd", partial(os.pread, file.fileno()), len(header), 300) is holds


def test_a_zip_bomb_costs_its_own_bytes_only_d13(disk: Disk, directory: Path) -> None:
    """Nothing is ever decoded; a size that does not fit is seen at the file's end."""
    bomb = gzip.compress(b"\0" * 30_000_000, 9)
    write(directory / "a.js.gz", bomb)
    assert find(disk).coding == b""
