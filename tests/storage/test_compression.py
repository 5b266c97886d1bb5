"""Compression on the fly: what is compressed, when it is not, and that a change is never sent under the wrong tag."""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from subprocess import run

import pytest

from pwb_async.core.semantics.codings import acceptable
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.site.findings import Finding, NotFound, OpenFile
from pwb_async.core.site.lookup import Candidate, Lookup
from pwb_async.storage import coders, compression
from pwb_async.storage.coders import BEST_LEVELS, FAST_LEVELS, ZSTD_MODULE, encode
from pwb_async.storage.compression import LARGEST, SMALLEST, CompressingStorage
from pwb_async.storage.disk import Disk
from pwb_async.storage.etag import content_tag
from pwb_async.storage.examiner import SMALL
from tests.conformance import coded
from tests.conformance.coded import LONG, SCRIPT
from tests.conformance.server import REPOSITORY

from .test_disk import a_day_later, as_open_file, make_lookup, request
from .test_precompressed import write

BROWSER = b"gzip, deflate, br, zstd"
DECODERS = {coding.encode(): decode for coding, decode in coded.DECODERS.items()}


def lookup(value: bytes = BROWSER, path: bytes = b"a.js", compress: bool = True) -> Lookup:
    codings = acceptable(Fields({b"accept-encoding": [value]}, 0))
    return Lookup(request(), path, (Candidate(path, compressible=True),), codings, compress)


@pytest.fixture
def storage(tmp_path: Path) -> CompressingStorage:
    write(tmp_path / "a.js", SCRIPT)
    return CompressingStorage(Disk(str(tmp_path), precompressed=True, clock=a_day_later))


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The codings that are used during the test."""
    codings: list[bytes] = []

    def counted(content: bytes, coding: bytes, level: int) -> bytes:
        codings.append(coding)
        return encode(content, coding, level)

    monkeypatch.setattr(compression, "encode", counted)
    return codings


@pytest.mark.parametrize("content", [SCRIPT, LONG], ids=["small", "large"])
@pytest.mark.parametrize("coding", DECODERS)
def test_a_file_is_compressed_d10(storage: CompressingStorage, tmp_path: Path, content: bytes, coding: bytes) -> None:
    write(tmp_path / "a.js", content)
    found = as_open_file(storage.find(lookup(coding)))
    assert found.content is not None
    assert found.file is None
    assert DECODERS[coding](found.content) == content
    assert (found.size, found.coding, found.compressed) == (len(found.content), coding, True)
    assert found.tag == b"%s-%s%d" % (content_tag(content), coding, FAST_LEVELS[coding])
    assert storage.revalidate([(lookup(coding), found)]) == [True]
    write(tmp_path / "a.js", content[:-1])
    assert storage.revalidate([(lookup(coding), found)]) == [False]
    assert as_open_file(storage.find(lookup(coding))).tag != found.tag


@pytest.mark.parametrize("level", [FAST_LEVELS, BEST_LEVELS])
@pytest.mark.parametrize("coding", DECODERS)
def test_the_encoders(coding: bytes, level: dict[bytes, int]) -> None:
    for content in (b"", b"x", SCRIPT):
        coded = encode(content, coding, level[coding])
        assert DECODERS[coding](coded) == content
        assert encode(content, coding, level[coding]) == coded


def test_no_zstd_window_is_larger_than_decoders_support(tmp_path: Path) -> None:
    """RFC 9659 3: browsers refuse a window above 8 MiB."""
    from pwb_async.storage.precompressed import holds

    content = os.urandom(1 << 20) * 9
    (tmp_path / "z").write_bytes(encode(content, b"zstd", 1))
    with open(tmp_path / "z", "rb") as file:
        assert holds(b"zstd", partial(os.pread, file.fileno()), 0, len(content))


def test_the_coding_is_the_first_of_those_with_the_highest_weight(storage: CompressingStorage) -> None:
    for value, coding in ((b"gzip, br;q=0.5", b"gzip"), (BROWSER, b"br"), (b"gzip, zstd", b"zstd"), (b"deflate", b"")):
        assert as_open_file(storage.find(lookup(value))).coding == coding


@pytest.mark.parametrize(
    ("size", "compressed"),
    [(0, False), (SMALLEST - 1, False), (SMALLEST, True), (SMALL, True), (LARGEST, True), (LARGEST + 1, False)],
)
def test_the_sizes(storage: CompressingStorage, tmp_path: Path, size: int, compressed: bool) -> None:
    write(tmp_path / "a.js", b"x" * size)
    found = as_open_file(storage.find(lookup(b"zstd")))
    assert found.compressed is compressed
    if found.file is not None:
        found.file.close()


def test_what_is_not_asked_for_stays_as_it_is(
    storage: CompressingStorage, tmp_path: Path, encoded: list[bytes]
) -> None:
    asked = [lookup(compress=False), make_lookup(b"a.js"), make_lookup(b"missing")]
    asked.append(Lookup(request(), b"a.js", (Candidate(b"a.js"),), lookup().codings, True))
    for each in asked:
        finding = storage.find(each)
        assert isinstance(finding, NotFound) or as_open_file(finding).content == SCRIPT
    write(tmp_path / "a.js.gz", encode(SCRIPT, b"gzip", 9))
    assert as_open_file(storage.find(lookup())).compressed is False, "a neighbour is sent as it is"
    assert encoded == []


def test_generated_content_stays_as_it_is(encoded: list[bytes]) -> None:
    storage = CompressingStorage(Disk("/proc/self"))
    assert as_open_file(storage.find(lookup(path=b"status"))).generated
    assert encoded == []


@pytest.mark.parametrize("size", [4000, SMALL + 1])
def test_what_does_not_shrink_is_tried_once(
    storage: CompressingStorage, tmp_path: Path, encoded: list[bytes], size: int
) -> None:
    content = os.urandom(size)
    write(tmp_path / "a.js", content)
    for _ in range(3):
        found = as_open_file(storage.find(lookup(b"br")))
        assert (found.coding, found.compressed, found.size) == (b"", False, size)
        if found.file is not None:
            assert os.pread(found.file.fileno(), size, 0) == content
            found.file.close()
    assert encoded == [b"br"]
    write(tmp_path / "a.js", b"x" * size, 1_600_000_001)
    assert as_open_file(storage.find(lookup(b"br"))).compressed
    assert as_open_file(storage.find(lookup(b"br, identity;q=0"))).compressed


def test_it_is_sent_all_the_same_if_the_client_accepts_nothing_else(
    storage: CompressingStorage, tmp_path: Path
) -> None:
    write(tmp_path / "a.js", os.urandom(4000))
    assert not as_open_file(storage.find(lookup(b"gzip"))).compressed
    assert as_open_file(storage.find(lookup(b"gzip, identity;q=0"))).coding == b"gzip"


def test_what_is_remembered_is_bounded(
    storage: CompressingStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "_REMEMBERED", 3)
    for number in range(6):
        write(tmp_path / f"{number}.js", os.urandom(300))
        storage.find(lookup(path=b"%d.js" % number))
    assert len(storage._incompressible) == 3


class Changing:
    """A storage whose large file changes while it is read."""

    def __init__(self, disk: Disk, change: Callable[[], None]) -> None:
        self.disk, self.change = disk, change

    def find(self, lookup: Lookup) -> Finding:
        found = self.disk.find(lookup)
        self.change()
        return found

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        return self.disk.revalidate(known)


@pytest.mark.parametrize("change", ["truncated", "grown", "touched"])
def test_c15_a_file_that_changes_before_it_is_read_is_left_as_it_is(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.js"
    write(path, LONG)

    def now() -> None:
        if change == "truncated":
            os.truncate(path, 1000)
        elif change == "grown":
            os.truncate(path, len(LONG) + 1)
        else:
            os.utime(path, (5, 5))

    found = as_open_file(CompressingStorage(Changing(Disk(str(tmp_path)), now)).find(lookup()))
    assert not found.compressed
    assert found.file is not None
    found.file.close()


def test_no_thread_waits_until_others_have_compressed(
    storage: CompressingStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two large files at once, so that the memory is bounded; further ones are sent as they are, for the time being."""
    content = b"x" * (2 << 20)
    write(tmp_path / "a.js", content)
    both, go = threading.Barrier(3), threading.Event()

    def slow(content: bytes, coding: bytes, level: int) -> bytes:
        both.wait(10)
        assert go.wait(10)
        return b"coded"

    monkeypatch.setattr(compression, "encode", slow)
    with ThreadPoolExecutor(2) as threads:
        coded = [threads.submit(storage.find, lookup()) for _ in range(2)]
        both.wait(10)
        try:
            plain = as_open_file(storage.find(lookup()))
        finally:
            go.set()
        assert [as_open_file(each.result(10)).content for each in coded] == [b"coded"] * 2
    assert (plain.size, plain.coding, plain.settled) == (len(content), b"", False)
    assert plain.file is not None
    plain.file.close()
    assert storage.revalidate([(lookup(), plain)]) == [False], "so that the cache has it compressed later"
    monkeypatch.setattr(compression, "encode", encode)
    assert as_open_file(storage.find(lookup())).coding == b"br"


def test_the_libraries_are_imported_on_first_use() -> None:
    program = (
        "import sys, pwb_async.__main__, pwb_async.runtime.opening\n"
        f"assert not {{'brotli', {ZSTD_MODULE!r}}} & set(sys.modules)\n"
        "from pwb_async.runtime.preload import preload\n"
        "preload()\n"
        f"assert {{*{coders.MODULES!r}}} <= set(sys.modules)\n"
    )
    run([sys.executable, "-c", program], check=True, cwd=REPOSITORY, timeout=60)
