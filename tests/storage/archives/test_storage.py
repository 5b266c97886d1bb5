"""Archives as a Storage: what is found in them, what is not, and what happens when one is replaced.

The hazards are C17, C18, D14 and E11."""

import gc
import logging
import os
import resource
import subprocess
import sys
import tarfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest

from pwb_async.core.site.findings import DIRECTORY, FORBIDDEN, NOT_FOUND, OpenFile, StorageError, Unavailable
from pwb_async.core.site.lookup import Candidate, EntryKind
from pwb_async.storage.archives import release
from pwb_async.storage.archives.index import ArchiveError
from pwb_async.storage.archives.members import Inflater
from pwb_async.storage.archives.storage import ArchiveStorage
from pwb_async.storage.etag import content_tag
from tests.conformance.coded import br, gz
from tests.conformance.tree import random_bytes
from tests.storage.test_disk import make_lookup
from tests.storage.test_precompressed import codings

from .build import MAKERS, MTIME, Packed, find, found, make_tar, make_zip, pack, read

BIG = random_bytes(300_000)
SCRIPT = b"".join(b"line %d\n" % n for n in range(200))
FILES = {
    "index.html": b"<p>home",
    "empty.txt": b"",
    "d/a.js": SCRIPT,
    "d/e/deep.txt": b"deep",
    "big.bin": BIG,
    "d/名前.txt": b"a name",
    "folder/": b"",
}


@pytest.fixture(params=MAKERS)
def ending(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def archive(tmp_path: Path, ending: str) -> Path:
    path = tmp_path / f"site{ending}"
    if ending == ".tar":  # whose directories have headers of their own
        return make_tar(path, FILES, change=lambda info: _as_directory(info) if info.name.endswith("/") else None)
    return make_zip(path, FILES)


def _as_directory(info: tarfile.TarInfo) -> None:
    info.type = tarfile.DIRTYPE


def test_files_are_found_as_on_a_disk(archive: Path) -> None:
    storage = ArchiveStorage(str(archive))
    for name, content in FILES.items():
        if not name.endswith("/"):
            file = found(storage, name)
            assert (file.size, read(file), file.mtime_ns) == (len(content), content, MTIME * 10**9)
            assert file.has_ranges
    assert found(storage, "index.html").tag == content_tag(b"<p>home")
    assert found(storage, "big.bin").tag
    for directory in ("", "d", "d/e", "folder"):
        assert find(storage, directory) is DIRECTORY
    for missing in ("x", "d/", "d/a", "d/a.js/x", "folder/x", "D", "d//a.js", "./d", "d\0", "n" * 5000):
        assert find(storage, missing) is NOT_FOUND


def test_a_large_member_is_read_at_any_position(archive: Path) -> None:
    file = found(ArchiveStorage(str(archive)), "big.bin")
    assert file.content is None
    assert file.file is not None
    for start, length in ((0, 10), (200_000, 70_000), (100, 5), (299_999, 1), (0, 300_000)):
        assert read(file, start, length) == BIG[start : start + length]
    with pytest.raises(OSError, match="descriptor"):
        file.file.fileno()
    assert file.file.read_into(bytearray(5), 300_000) == 0


def test_many_threads_read_one_member(archive: Path) -> None:
    file = found(ArchiveStorage(str(archive)), "big.bin")
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda start: read(file, start), [0, 1, 65536, 0, 131072, 299_000, 0, 70_000])) == [
            BIG[start:] for start in (0, 1, 65536, 0, 131072, 299_000, 0, 70_000)
        ]


def test_coded_neighbours(archive: Path, ending: str) -> None:
    make = MAKERS[ending]
    other = make(
        archive, {"a.js": SCRIPT, "a.js.br": br(SCRIPT), "a.js.gz": gz(SCRIPT), "b.js": SCRIPT, "b.js.gz": b"no"}
    )
    storage = ArchiveStorage(str(other), precompressed=True)

    def negotiated(path: str, value: bytes) -> OpenFile:
        candidates = (Candidate(path.encode(), compressible=True),)
        lookup = replace(make_lookup(path.encode()), candidates=candidates, codings=codings(value))
        finding = storage.find(lookup)
        assert isinstance(finding, OpenFile)
        assert storage.revalidate([(lookup, finding)]) == [finding.settled]
        return finding

    assert (negotiated("a.js", b"br").content, negotiated("a.js", b"br").coding) == (br(SCRIPT), b"br")
    assert (negotiated("a.js", b"gzip").content, negotiated("a.js", b"gzip").coding) == (gz(SCRIPT), b"gzip")
    assert (negotiated("b.js", b"gzip").content, negotiated("b.js", b"gzip").coding) == (SCRIPT, b"")


def test_error_pages(archive: Path, ending: str) -> None:
    storage = ArchiveStorage(str(MAKERS[ending](archive, {"d/404.html": b"lost", "d/x": b"x"})))
    lookup = replace(make_lookup(b"d/y"), error_directory=(b"d",))
    finding = storage.find(lookup)
    assert isinstance(finding, OpenFile)
    assert (finding.content, finding.status) == (b"lost", 404)


def test_names_that_lead_out_are_not_served(tmp_path: Path, ending: str, caplog: pytest.LogCaptureFixture) -> None:
    names = ["../up.txt", "/abs.txt", "d/../../x", "a//b", "d/..", "x/./y", "./ok.txt", "..", "...", "c:\\x"]
    path = MAKERS[ending](
        tmp_path / f"x{ending}", [(name, b"canary" if name != "./ok.txt" else b"ok") for name in names]
    )
    with caplog.at_level(logging.WARNING):
        storage = ArchiveStorage(str(path))
    assert "members that are not served" in caplog.text
    assert found(storage, "ok.txt").content == b"ok"
    assert found(storage, "...").content == b"canary"
    for name in ("up.txt", "../up.txt", "abs.txt", "/abs.txt", "x", "a//b", "a/b", "b", "x/y", "..", "d/.."):
        assert find(storage, name) is NOT_FOUND, name


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_duplicates_the_last_one_counts(tmp_path: Path, ending: str) -> None:
    path = MAKERS[ending](tmp_path / f"x{ending}", [("a.txt", b"first"), ("b.txt", b"b"), ("./a.txt", b"last")])
    storage = ArchiveStorage(str(path))
    assert found(storage, "a.txt").content == b"last"
    assert found(storage, "b.txt").content == b"b"


def test_links_lead_where_the_archive_has_something(tmp_path: Path, ending: str) -> None:
    links = {
        "link.txt": "d/a.txt",
        "twice": "link.txt",
        "latest": "v2",
        "d/up": "../b.txt",
        "d/here": "./a.txt",
        "out": "../secret",
        "d/out": "../../secret",
        "absolute": "/etc/passwd",
        "loop": "loop",
        "loop1": "loop2",
        "loop2": "loop1/x",
        "nowhere": "nothing",
    }
    files = {"d/a.txt": b"a", "b.txt": b"b", "v2/index.html": b"v2", "secret": b"in the root"}
    storage = ArchiveStorage(str(MAKERS[ending](tmp_path / f"x{ending}", files, links=links)))
    expected = {"link.txt": b"a", "twice": b"a", "latest/index.html": b"v2", "d/up": b"b", "d/here": b"a"}
    assert {name: found(storage, name).content for name in expected} == expected
    assert find(storage, "latest") is DIRECTORY
    for name in ("out", "d/out", "absolute", "loop", "loop1", "loop2/y", "nowhere", "link.txt/x"):
        assert find(storage, name) is NOT_FOUND, name


def test_hard_links_and_what_is_no_file_in_tar(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = 1
        archive.addfile(info, fileobj=__import__("io").BytesIO(b"a"))
        for name, kind, target in (
            ("hard", tarfile.LNKTYPE, "a.txt"),
            ("hard-out", tarfile.LNKTYPE, "../a.txt"),
            ("fifo", tarfile.FIFOTYPE, ""),
            ("device", tarfile.CHRTYPE, ""),
            ("directory", tarfile.DIRTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    storage = ArchiveStorage(str(path))
    assert found(storage, "hard").content == b"a"
    assert find(storage, "directory") is DIRECTORY
    for name in ("hard-out", "fifo", "device"):
        assert find(storage, name) is NOT_FOUND


@pytest.mark.parametrize(
    "form", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "ustar", "pax"]
)
def test_long_names_in_each_form_of_tar(tmp_path: Path, form: int) -> None:
    names = ["d" * 90 + "/" + "n" * 90] + (["e" * 200 + "/" + "f" * 200] if form != tarfile.USTAR_FORMAT else [])
    path = make_tar(tmp_path / "x.tar", dict.fromkeys(names, b"x"), form=form)
    storage = ArchiveStorage(str(path))
    assert [found(storage, name).content for name in names] == [b"x"] * len(names)


def test_what_tar_writes_is_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    (root / "d/a.txt").write_bytes(b"a")
    (root / "index.html").write_bytes(b"home")
    with (root / "sparse.bin").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"end")
    (root / "z.txt").write_bytes(b"behind it")
    for number, options in enumerate(
        (["--format=gnu", "-S"], ["--format=pax", "-S"], ["--format=ustar"], ["--format=v7"])
    ):
        path = tmp_path / f"{number}.tar"
        subprocess.run(["tar", *options, "-C", root, "-cf", path, "."], check=True)
        storage = ArchiveStorage(str(path))
        assert found(storage, "d/a.txt").content == b"a"
        assert found(storage, "z.txt").content == b"behind it"
        assert isinstance(find(storage, "sparse.bin"), OpenFile) == ("-S" not in options)


def test_what_is_encrypted_is_forbidden(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"open.txt": b"open", "secret.txt": b"canary"})
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.rindex(signature) + flags] |= 1
    path.write_bytes(data)
    storage = ArchiveStorage(str(path))
    assert find(storage, "secret.txt") is FORBIDDEN
    assert found(storage, "open.txt").content == b"open"
    assert [(entry.name, entry.is_directory) for entry in storage.open_root().open_folder(b"").scan()] == [
        ("open.txt", False),
        ("secret.txt", False),
    ]
    assert storage.open_root().open_folder(b"").status("secret.txt").is_file


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_a_method_that_is_not_supported_has_a_reason(tmp_path: Path, method: int) -> None:
    storage = ArchiveStorage(str(make_zip(tmp_path / "x.zip", {"a.txt": SCRIPT}, method=method)))
    assert isinstance(finding := find(storage, "a.txt"), StorageError)
    assert finding.detail


def lying(path: Path, name: bytes, *, size: int | None = None, checksum: int | None = None) -> Path:
    """Changes what the central directory has of a member."""
    data = bytearray(path.read_bytes())
    place = data.index(name, data.index(b"PK\1\2")) - 46
    if checksum is not None:
        data[place + 16 : place + 20] = checksum.to_bytes(4, "little")
    if size is not None:
        data[place + 24 : place + 28] = size.to_bytes(4, "little")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("content", [SCRIPT, BIG], ids=["small", "large"])
@pytest.mark.parametrize("change", [-1, -500, 1, 400_000, "checksum"])
def test_sizes_and_checksums_that_lie_end_in_an_error(tmp_path: Path, content: bytes, change: int | str) -> None:
    """No byte is made up: what is not there is not sent, and what is too much ends the transfer before its end."""
    path = make_zip(tmp_path / "x.zip", {"a.bin": content})
    if change == "checksum":
        lying(path, b"a.bin", checksum=crc32(content) ^ 1)
    else:
        lying(path, b"a.bin", size=len(content) + int(change))
    finding = find(ArchiveStorage(str(path)), "a.bin")
    if isinstance(finding, StorageError):
        return
    assert isinstance(finding, OpenFile)
    assert finding.content is None
    if change in (1, 400_000):
        assert read(finding) == content  # less than was promised
    else:
        with pytest.raises(OSError, match="archive"):
            read(finding)


def test_a_stored_member_whose_two_sizes_differ_is_an_error(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"a.bin": BIG, "b": b"b"}, method=zipfile.ZIP_STORED)
    storage = ArchiveStorage(str(lying(path, b"a.bin", size=len(BIG) + 1)))
    assert isinstance(find(storage, "a.bin"), StorageError)
    assert found(storage, "b").content == b"b"


def test_a_bomb_takes_neither_memory_nor_time_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bomb.bin", "w", force_zip64=True) as out,
    ):
        for _ in range(128):
            out.write(bytes(1 << 20))
    storage = ArchiveStorage(str(path))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    file = found(storage, "bomb.bin")
    assert (file.size, file.sequential, file.has_ranges) == (128 << 20, True, False)
    assert file.file is not None
    buffer = bytearray(1 << 16)
    for place in range(0, 8 << 20, 1 << 16):
        assert file.file.read_into(buffer, place) == 1 << 16
    assert not any(buffer)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096  # KiB


def test_a_member_keeps_only_so_many_places(tmp_path: Path) -> None:
    file = found(ArchiveStorage(str(make_zip(tmp_path / "x.zip", {"a.bin": BIG}))), "a.bin").file
    for start in range(299_000, 250_000, -1000):
        assert file is not None
        file.read_into(bytearray(1), start)
    gc.collect()
    assert sum(isinstance(each, Inflater) for each in gc.get_objects()) <= 32


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        b"PK\5\6" + bytes(18)[:4],
        b"PK\5\6" + b"\xff" * 18,
        b"PK\1\2" + bytes(100) + b"PK\5\6" + bytes(18),
    ],
)
@pytest.mark.parametrize("name", ["x.zip", "x.whl", "x.tar"])
def test_what_is_no_archive_cannot_be_served(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    if content.endswith(bytes(18)) and name != "x.tar":  # an empty archive behind other bytes
        assert find(ArchiveStorage(str(path)), "a") is NOT_FOUND
        return
    with pytest.raises(ArchiveError):
        ArchiveStorage(str(path))


def test_every_cut_of_an_archive_is_an_error_or_a_smaller_site(tmp_path: Path, archive: Path, ending: str) -> None:
    whole = archive.read_bytes()
    path = tmp_path / f"cut{ending}"
    for end in range(0, len(whole), 997):
        path.write_bytes(whole[:end])
        try:
            storage = ArchiveStorage(str(path))
        except ArchiveError:
            continue
        for name in FILES:
            find(storage, name.rstrip("/"))


def test_changed_bytes_never_raise_anything_else(tmp_path: Path, archive: Path, ending: str) -> None:
    whole = archive.read_bytes()
    path = tmp_path / f"changed{ending}"
    noise = random_bytes(600)
    places = [(n * 7919) % len(whole) for n in range(150)] + [len(whole) - 1 - n for n in range(150)]
    for number, place in enumerate(places):
        path.write_bytes(whole[:place] + noise[2 * number : 2 * number + 2] + whole[place + 2 :])
        try:
            storage = ArchiveStorage(str(path))
        except ArchiveError:
            continue
        for name in FILES:
            finding = find(storage, name.rstrip("/"))
            if isinstance(finding, OpenFile) and finding.file is not None:
                with suppress(OSError):
                    read(finding)


def test_a_replaced_archive_is_a_new_release(archive: Path, ending: str, caplog: pytest.LogCaptureFixture) -> None:
    storage = ArchiveStorage(str(archive))
    old = found(storage, "big.bin")
    begun = read(old, 0, 1000)
    MAKERS[ending](archive, {"big.bin": bytes(300_000), "new.txt": b"new"})
    assert find(storage, "index.html") is NOT_FOUND
    assert found(storage, "new.txt").content == b"new"
    assert begun + read(old, 1000) == BIG, "a response that has begun is of the old release"
    assert storage.revalidate([(make_lookup(b"big.bin"), old)]) == [False]
    assert found(storage, "big.bin").tag != old.tag


def test_an_archive_that_cannot_be_served_leaves_the_old_one(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    storage = ArchiveStorage(str(archive))
    broken = archive.with_name("broken")
    broken.write_bytes(b"half an archive" * 100)
    os.replace(broken, archive)
    for _ in range(3):
        assert found(storage, "index.html").content == b"<p>home"
    assert caplog.text.count("what it was before is served") == 1


def test_an_archive_that_is_overwritten_or_gone_is_unavailable(archive: Path, ending: str) -> None:
    storage = ArchiveStorage(str(archive))
    archive.write_bytes(b"half")  # in place, so what was open is gone, too
    assert isinstance(find(storage, "index.html"), Unavailable)
    archive.unlink()
    assert isinstance(find(storage, "index.html"), Unavailable)
    MAKERS[ending](archive, {"index.html": b"again"})
    assert found(storage, "index.html").content == b"again"


def test_while_a_release_is_read_the_old_one_is_served(
    archive: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = ArchiveStorage(str(archive))
    MAKERS[ending](archive, {"index.html": b"new"})
    reading, go_on = threading.Event(), threading.Event()
    load = storage._load

    def slow_load() -> release.Release:
        reading.set()
        assert go_on.wait(10)
        return load()

    monkeypatch.setattr(storage, "_load", slow_load)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(found, storage, "index.html")
        assert reading.wait(10)
        assert found(storage, "index.html").content == b"<p>home"
        go_on.set()
        assert first.result().content == b"new"


def test_old_releases_are_closed(archive: Path, ending: str) -> None:
    storage = ArchiveStorage(str(archive))
    before = len(os.listdir("/proc/self/fd"))
    for number in range(5):
        MAKERS[ending](archive, {"index.html": b"%d" % number})
        assert found(storage, "index.html").content == b"%d" % number
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_tags_of_large_members(archive: Path, ending: str) -> None:
    tags = {
        etag: found(ArchiveStorage(str(archive), etag=etag), "big.bin").tag for etag in ("auto", "mtime", "content")
    }
    assert tags["content"] is None
    assert tags["mtime"] == b"%x-%x" % (MTIME * 10**9, 300_000)
    MAKERS[ending](archive, {"other": b"other", "big.bin": BIG})
    again = found(ArchiveStorage(str(archive)), "big.bin").tag
    assert (again == tags["auto"]) == (ending == ".zip"), "a checksum is the same in every archive"


def test_times_of_zip(tmp_path: Path) -> None:
    """The time of DOS stands for UTC, unless the time of Unix is there; none is later than the archive's."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("future", (2099, 1, 1, 0, 0, 0)), b"x")
        unix = zipfile.ZipInfo("unix", (1999, 1, 1, 0, 0, 0))
        unix.extra = b"\x99\x99\1\0x" + b"UT\5\0\1" + MTIME.to_bytes(4, "little")
        archive.writestr(unix, b"x")
        archive.writestr(zipfile.ZipInfo("none", (1980, 0, 0, 0, 0, 0)), b"x")
    storage = ArchiveStorage(str(path))
    assert found(storage, "future").mtime_ns == path.stat().st_mtime_ns
    assert found(storage, "unix").mtime_ns == MTIME * 10**9
    assert found(storage, "none").mtime_ns == 0


def test_names_in_the_code_page_of_dos(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("AAA.txt", b"cp437")
        archive.writestr("BBBB.txt", b"utf-8")
    path.write_bytes(
        path.read_bytes().replace(b"AAA.txt", b"\x81\x84\x94.txt").replace(b"BBBB.txt", "éé".encode() + b".txt")
    )
    storage = ArchiveStorage(str(path))
    assert found(storage, "üäö.txt").content == b"cp437"
    assert found(storage, "éé.txt").content == b"utf-8"


def test_bytes_before_an_archive_and_zip64(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.zip", [Packed(b"%d.txt" % n, b"%d" % n) for n in range(66_000)])
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    storage = ArchiveStorage(str(path))
    assert found(storage, "65999.txt").content == b"65999"
    assert len(storage.open_root().index) == 66_000


@pytest.mark.quiet
@pytest.mark.parametrize("ending", MAKERS)
def test_two_hundred_thousand_members(tmp_path: Path, ending: str) -> None:
    """The bar: they are there within 2 s, and take no more than 200 bytes each."""
    names = [f"some/directory-{n // 1000}/a-name-of-usual-length-{n}.html" for n in range(200_000)]
    path = pack(tmp_path / f"x{ending}", [Packed(name.encode(), b"x") for name in names])
    program = (
        "import resource, sys, time\n"
        "from pwb_async.storage.archives.storage import ArchiveStorage\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "began = time.process_time()\n"
        "storage = ArchiveStorage(sys.argv[1])\n"
        "taken = time.process_time() - began\n"
        "print(len(storage.open_root().index), taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    output = subprocess.run([sys.executable, "-c", program, path], check=True, capture_output=True, text=True).stdout
    count, seconds, kibibytes = output.split()
    assert int(count) == 200_000
    assert float(seconds) < 2
    assert int(kibibytes) < 100_000  # at its peak, while the names are sorted


def test_the_index_is_listed_by_directories(archive: Path) -> None:
    root = ArchiveStorage(str(archive)).open_root()
    entries = {entry.name: entry.is_directory for entry in root.open_folder(b"").scan()}
    assert entries == {"big.bin": False, "d": True, "empty.txt": False, "folder": True, "index.html": False}
    assert {entry.name for entry in root.open_folder(b"d").scan()} == {"a.js", "e", "名前.txt"}
    assert list(root.open_folder(b"folder").scan()) == []
    assert root.open_folder(b"d").status("a.js").size == len(SCRIPT)
    assert root.open_folder(b"").status("d").is_directory
    assert root.read_file(b"index.html", 100) == b"<p>home"
    assert root.read_file(b"big.bin", 100) is root.read_file(b"x", 100) is None
    for path in (b"index.html", b"x"):
        with pytest.raises(NotADirectoryError):
            root.open_folder(path)
    with pytest.raises(FileNotFoundError):
        root.open_folder(b"").status("x")
    assert root.open_folder(b"").mtime_ns == 0


def test_a_candidate_that_has_to_be_a_file(archive: Path) -> None:
    storage = ArchiveStorage(str(archive))
    candidates = (Candidate(b"d", EntryKind.FILE), Candidate(b"", EntryKind.FILE), Candidate(b"index.html", status=301))
    moved = storage.find(replace(make_lookup(b"d"), candidates=candidates))
    assert getattr(moved, "path", None) == b"index.html"
