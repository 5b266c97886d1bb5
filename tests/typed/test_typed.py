"""The programs to type keep the essential rows, and what else a reader of the book expects of a correct server."""

import ast
import os
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from pwb_legacy.compare.checks.essential_rows import CANARY, OUTSIDE, ROWS, write_site
from pwb_legacy.compare.checks.judge import judge
from pwb_legacy.compare.checks.rows import Row, expect, get, head
from pwb_legacy.typed import __doc__ as introduction

from .running import FILES, FOLDER, TIMEOUT, Address, eventually, exchange, read_all, serving

SERVERS = FILES[1:]
LARGE = 8 << 20
PATIENCE = 5.0
"""The constant of the programs, in seconds."""


def request_lines(row: Row) -> list[bytes]:
    return [request.lstrip(b"\r\n").partition(b"\r\n")[0] for request in row.requests]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the rows, and what a careless server would serve of it."""
    site = write_site(tmp_path_factory.mktemp("typed"))
    (site / "link.txt").symlink_to(site.parent / OUTSIDE)
    (site / "up").symlink_to(site.parent)
    (site / "inside.txt").symlink_to("a.txt")
    (site / "loop").symlink_to("loop")
    (site / ".hidden").write_bytes(CANARY)
    (site / "archive.tar.gz").write_bytes(b"gz")
    (site / "folder").mkdir()
    os.mkfifo(site / "pipe")
    (site / "large.bin").touch()
    os.truncate(site / "large.bin", LARGE)
    return site


@pytest.fixture(scope="module", params=SERVERS)
def address(request: pytest.FixtureRequest, root: Path) -> Iterator[Address]:
    with serving(request.param, root) as (address, _):
        yield address


@pytest.mark.parametrize("file", FILES)
def test_a_program_can_be_typed(file: str) -> None:
    source = (FOLDER / file).read_text()
    assert len(source.splitlines()) <= 120
    assert file in ast.get_docstring(ast.parse(source), clean=True)
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "gevent"}
    assert "PORT ROOT" in introduction


def test_each_file_of_the_folder_is_tested() -> None:
    assert {path.name for path in FOLDER.glob("*.py")} == {*FILES, "__init__.py"}


@pytest.mark.parametrize("pieces", ["whole", "bytes"])
@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_it_keeps_the_essential_rows(row: Row, pieces: str, address: Address) -> None:
    wire = b"".join(row.requests)
    split = [wire] if pieces == "whole" else [wire[at : at + 1] for at in range(len(wire))]
    assert judge(row, exchange(address, split)) == []


def test_the_fixed_page_is_the_response_to_every_row(root: Path) -> None:
    with serving("fixed_page.py", root) as (address, _):
        for row in ROWS:
            same = [expect(200, b"" if line.startswith(b"HEAD") else b"hello PWB\n") for line in request_lines(row)]
            assert judge(row._replace(responses=tuple(same)), exchange(address, [b"".join(row.requests)])) == [], row.id


@pytest.mark.parametrize(
    "target",
    [
        *("/link.txt", f"/up/{OUTSIDE}", f"/sub/../../{OUTSIDE}", f"/%2e%2E%2f{OUTSIDE}", f"//../{OUTSIDE}"),
        *("/.hidden", "/%2ehidden", "/sub/../.hidden", "/pipe", "/loop", "/folder", "/folder/", "/sub", "/a.txt/"),
        *("/" + "x" * 300, "/" + "x/" * 3000, "/%ff%fe"),
    ],
)
def test_what_is_not_served_is_404(target: str, address: Address) -> None:
    response = exchange(address, [get(target)])
    assert response.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert CANARY not in response


@pytest.mark.parametrize(
    "wire",
    [
        *(get("/a%00b"), get("/#a"), get("a.txt"), get("/ü"), get("/a.txt", "No colon"), get("/a.txt", "Name : x")),
        *(
            get("/a.txt", "A: \0"),
            get("/a.txt", " folded"),
            b"GET /a.txt HTTP/1.1\nHost: h\n\n\r\n\r\n",
            b"\xff\xfe\r\n\r\n",
        ),
        get("/a.txt", "X: " + "x" * 70_000),
    ],
)
def test_what_is_no_request_is_400(wire: bytes, address: Address) -> None:
    assert exchange(address, [wire]).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize(
    ("target", "media_type"),
    [
        ("/", b"text/html; charset=utf-8"),
        ("/inside.txt", b"text/plain; charset=utf-8"),
        ("/archive.tar.gz", b"application/octet-stream"),
    ],
)
def test_a_response_has_a_media_type_and_a_date(target: str, media_type: bytes, address: Address) -> None:
    response = exchange(address, [head(target)])
    assert b"\r\nContent-Type: %s\r\n" % media_type in response
    assert b"\r\nDate: " in response
    assert response.endswith(b"\r\n\r\n")


def test_a_large_file_arrives_whole_at_a_client_that_reads_slowly(address: Address) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.settimeout(TIMEOUT)
        client.connect(address)
        client.sendall(get("/large.bin"))
        first = client.recv(100)
        assert len((first + read_all(client)).partition(b"\r\n\r\n")[2]) == LARGE


def test_it_outlives_clients_that_vanish(address: Address) -> None:
    for wire in (b"", b"GET /lar", get("/large.bin")) * 5:
        with socket.create_connection(address, TIMEOUT) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() is a reset
            client.sendall(wire)
    assert exchange(address, [get("/one.txt")]).endswith(b"\r\n\r\n1")


def test_a_client_that_is_too_slow_is_cut_off(root: Path) -> None:
    """In all programs at once, since it takes a while. With one client at a time, all others wait meanwhile."""

    def wait(file: str, address: Address) -> None:
        one_at_a_time = file in ("single.py", "fixed_page.py")
        with socket.create_connection(address, TIMEOUT) as slow:
            slow.sendall(b"GET /a")
            began = time.monotonic()
            assert exchange(address, [get("/one.txt")])
            assert one_at_a_time or time.monotonic() - began < PATIENCE - 1, file
            assert slow.recv(1) == b""
            assert time.monotonic() - began > PATIENCE - 1, file
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(TIMEOUT)
            slow.connect(address)
            slow.sendall(get("/large.bin"))
            assert exchange(address, [get("/one.txt")])
            time.sleep(PATIENCE + 2)  # what a client does that reads nothing
            assert len(read_all(slow)) < LARGE, file

    with ExitStack() as stack, ThreadPoolExecutor(len(FILES)) as threads:
        servers = [(file, stack.enter_context(serving(file, root))[0]) for file in FILES]
        list(threads.map(lambda one: wait(*one), servers))


def test_no_process_is_left_of_a_client_that_has_gone(root: Path) -> None:
    with serving("processes.py", root) as (address, pid):
        for _ in range(20):
            assert exchange(address, [get("/one.txt")])
        assert eventually(lambda: children(pid) == [])


def children(pid: int) -> list[str]:
    """The processes that a process has started and not waited for, ended or not."""
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    return [stat for stat in stats if stat.rpartition(")")[2].split()[1] == str(pid)]


def test_a_crowd_of_clients_is_served(root: Path) -> None:
    """Two hundred at a time: more than the queue of accept() holds, and than the pool has threads."""
    for file in SERVERS:
        with serving(file, root) as (address, _), ThreadPoolExecutor(50) as threads:
            responses = threads.map(lambda _, to=address: exchange(to, [get("/100k.bin")]), range(200))
            assert {len(response.partition(b"\r\n\r\n")[2]) for response in responses} == {102_400}, file
