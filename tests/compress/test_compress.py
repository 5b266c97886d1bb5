"""`pwb compress` as a process, and what it writes."""

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import pytest

from pwb_async.compress.commands import _remove
from pwb_async.compress.neighbours import Outcome, Task, find_orphans, find_tasks, process
from pwb_async.core.site.media_types import STANDARD
from pwb_async.storage.coders import decodes_to, encode
from tests.conformance.coded import LONG_AGO, SCRIPT, br, gz, write, zstd
from tests.conformance.server import REPOSITORY, environment


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    write(site / "app.js", SCRIPT)
    write(site / "sub/page.html", SCRIPT)
    write(site / "image.png", SCRIPT)
    write(site / "noise.txt", os.urandom(5000))
    write(site / ".git/config.txt", SCRIPT)
    write(site / "_headers", SCRIPT)
    write(site / "pwb.toml", SCRIPT)
    write(site / "alone.csv.gz", gz(SCRIPT))
    (site / "link.js").symlink_to("app.js")
    return site


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pwb_async", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd or REPOSITORY,
        env=environment(),
        timeout=60,
        check=False,
    )


def names(site: Path) -> set[str]:
    return {str(path.relative_to(site)) for path in site.rglob("*") if not path.is_dir()}


EXPECTED = {f"{name}{ending}" for name in ("app.js", "sub/page.html") for ending in (".br", ".zst", ".gz")}


def test_neighbours_are_written_where_they_help(site: Path) -> None:
    before = names(site)
    (site / "app.js").chmod(0o640)
    done = run("compress", site)
    assert (done.returncode, done.stderr) == (0, "")
    assert names(site) - before == EXPECTED
    assert brotli.decompress((site / "app.js.br").read_bytes()) == SCRIPT
    assert zstd.decompress((site / "app.js.zst").read_bytes()) == SCRIPT
    assert gzip.decompress((site / "app.js.gz").read_bytes()) == SCRIPT
    for name in EXPECTED:
        assert (site / name).stat().st_mtime == LONG_AGO
    assert (site / "app.js.br").stat().st_mode & 0o777 == 0o640
    assert "3 files of types that are compressed" in done.stdout
    assert "2 written" in done.stdout
    assert "1 of no use" in done.stdout
    inodes = {name: (site / name).stat().st_ino for name in EXPECTED}
    assert run("compress", site, "--quiet").stdout == ""
    assert {name: (site / name).stat().st_ino for name in EXPECTED} == inodes, "what is current is left alone"


def test_check_reports_what_is_missing_or_stale_and_writes_nothing(site: Path) -> None:
    before = names(site)
    done = run("compress", site, "--check", "--quiet", cwd=site)
    assert done.returncode == 1
    assert set(done.stdout.split("\n")[:-1]) == {f"missing: {name}" for name in EXPECTED}
    assert names(site) == before
    run("compress", site)
    assert run("compress", site, "--check").returncode == 0
    os.utime(site / "app.js", (LONG_AGO + 60, LONG_AGO + 60))
    write(site / "noise.txt.gz", gz(b"other"))
    done = run("compress", site, "--check", "--quiet", cwd=site)
    expected = ["stale: app.js.br", "stale: app.js.gz", "stale: app.js.zst", "stale: noise.txt.gz"]
    assert (done.returncode, sorted(done.stdout.split("\n")[:-1])) == (1, expected)
    assert run("compress", site).returncode == 0
    assert not (site / "noise.txt.gz").exists()
    assert run("compress", site, "--check").returncode == 0


DAMAGED = {
    "app.js.br": br(SCRIPT)[:-5],
    "app.js.zst": zstd.compress(SCRIPT)[:-5],
    "app.js.gz": gz(SCRIPT)[:40] + gz(SCRIPT)[60:],
    "sub/page.html.br": b"<html>not brotli",
    "sub/page.html.zst": zstd.compress(SCRIPT[::-1]),
    "sub/page.html.gz": gz(SCRIPT[::-1]),
}


def test_what_does_not_decode_to_its_file_is_stale_d13(site: Path) -> None:
    """Some of it a server cannot recognise: it would have to decode it, too."""
    for name, content in DAMAGED.items():
        write(site / name, content)
    done = run("compress", site, "--check", "--quiet", cwd=site)
    assert (done.returncode, set(done.stdout.split())) == (1, {"stale:", *DAMAGED})
    assert run("compress", site).returncode == 0
    assert run("compress", site, "--check").returncode == 0
    assert brotli.decompress((site / "sub/page.html.br").read_bytes()) == SCRIPT


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"gzip"])
def test_what_is_decoded_to_be_checked_is_bounded(coding: bytes) -> None:
    bomb = encode(bytes(50_000_000), coding, 1)
    tracemalloc.start()
    try:
        assert not decodes_to(bomb, coding, SCRIPT)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"gzip"])
def test_what_another_program_has_encoded_decodes_to_its_file(coding: bytes) -> None:
    coded = encode(SCRIPT, coding, 1)
    assert decodes_to(coded, coding, SCRIPT)
    assert decodes_to(encode(b"", coding, 1), coding, b"")
    assert not decodes_to(coded, coding, SCRIPT[:-1])
    assert not decodes_to(coded, coding, SCRIPT + b"x")
    assert not decodes_to(coded + b"x", coding, SCRIPT)
    if coding != b"br":
        assert decodes_to(coded + encode(b"more", coding, 1), coding, SCRIPT + b"more"), "as pigz and pzstd write it"


def test_what_is_an_orphan(site: Path) -> None:
    for name in ("a.js.br", "a.js.gz", "data.tar.gz", "sub/b.css.zst", ".git/c.js.br", "app.js.br", "link.js.gz"):
        write(site / name, b"coded")
    (site / "folder.js.br").mkdir()
    (site / "to.js.br").symlink_to("a.js.br")
    found = find_orphans(os.fsencode(site), STANDARD, (b"br", b"zstd"))
    assert {os.path.relpath(path, os.fsencode(site)) for path in found} == {b"a.js.br", b"sub/b.css.zst"}


def test_orphans_are_named_and_removed_on_request(site: Path) -> None:
    run("compress", site)
    write(site / "data.tar.gz", gz(b"x"))
    for name in ("app.js", "link.js"):
        (site / name).unlink()
    orphans = {"alone.csv.gz", "app.js.br", "app.js.gz", "app.js.zst"}
    before = names(site)
    done = run("compress", site, "--check", cwd=site)
    assert done.returncode == 0
    assert {line.removeprefix("orphan: ") for line in done.stdout.split("\n") if line.startswith("orphan: ")} == orphans
    assert "4 coded files without a file: --prune removes them" in done.stdout
    assert run("compress", site, "--check", "--quiet").stdout == ""
    assert run("compress", site).returncode == 0
    done = run("compress", site, "--check", "--prune", "--quiet", cwd=site)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 4)
    assert names(site) == before
    done = run("compress", site, "--prune", cwd=site)
    assert (done.returncode, names(site)) == (0, before - orphans)
    assert "4 coded files without a file removed" in done.stdout
    assert run("compress", site, "--check", "--prune", "--quiet").returncode == 0


def test_an_orphan_that_cannot_be_removed_is_named(site: Path) -> None:
    missing = os.fsencode(site / "missing.js.br")
    assert _remove([missing, os.fsencode(site / "alone.csv.gz")]) == 1
    assert not (site / "alone.csv.gz").exists()


def test_what_vanishes_meanwhile_is_left_out(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file between its directory and its size, and a directory between its parent and its entries."""
    real_walk = os.walk

    def walk(top: bytes, onerror: Callable[[OSError], object]) -> Iterator[tuple[bytes, list[bytes], list[bytes]]]:
        for directory, subdirectories, files in real_walk(top, onerror=onerror):
            yield directory, subdirectories, files + [b"gone.js"] * (directory == top)
            if directory == top:
                shutil.rmtree(site / "sub")

    monkeypatch.setattr(os, "walk", walk)
    tasks = list(find_tasks(os.fsencode(site), STANDARD, (b"br",)))
    assert {os.path.basename(task.path) for task in tasks} == {b"app.js", b"noise.txt"}


def test_a_process_that_is_killed_is_one_line(site: Path) -> None:
    """As by the kernel for want of memory."""
    write(site / "long.txt", os.urandom(3_000_000).hex().encode())
    command = [sys.executable, "-m", "pwb_async", "compress", str(site), "--jobs", "1"]
    program = subprocess.Popen(command, cwd=REPOSITORY, env=environment(), stderr=subprocess.PIPE, text=True)
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children")
    end = time.monotonic() + 30
    worker = ""
    while not worker and time.monotonic() < end:
        time.sleep(0.01)  # until its process is there; the other child is a helper of multiprocessing
        found = children.read_text().split()
        worker = next((pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()), "")
    os.kill(int(worker), signal.SIGKILL)
    _, errors = program.communicate(timeout=60)
    line = "pwb compress: a process was killed, perhaps for want of memory; --jobs 1 needs the least\n"
    assert (program.returncode, errors) == (1, line)


def test_options_choose_codings_types_and_processes(site: Path) -> None:
    before = names(site)
    write(site / "x.new", SCRIPT)
    done = run("compress", site, "--coding", "gzip", "--type", "*.new=text/plain", "--jobs", "1")
    assert done.returncode == 0
    assert names(site) - before == {"x.new", "x.new.gz", "app.js.gz", "sub/page.html.gz"}


def test_a_folder_of_that_name_is_served_by_its_path(site: Path) -> None:
    write(site / "compress/a.js", SCRIPT)
    assert "Usage: pwb compress" in run("compress", "--help", cwd=site).stdout
    assert run("compress", cwd=site).returncode == 2
    assert "--access-log" in run("./compress", "--help", cwd=site).stdout
    done = run("compres", cwd=site)
    assert (done.returncode, done.stderr) == (2, "pwb: compres: no such command (did you mean 'compress'?)\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("missing",), "missing: No such file or directory"),
        (("app.js",), "app.js: Not a directory"),
        ((), "ROOT is missing"),
        ((".", "--coding", "lzma"), "--coding: 'lzma' is not one of 'br', 'zstd', 'gzip'."),
        ((".", "--jobs", "0"), "--jobs: 0 is not in the range x>=1."),
        ((".", "--level", "1"), "--level: no such option"),
    ],
)
def test_mistakes_are_one_line(site: Path, arguments: tuple[str, ...], line: str) -> None:
    done = run("compress", *arguments, cwd=site)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("pwb compress: ")
    assert done.stderr.count("\n") == 1
    assert line.split(": ")[-1] in done.stderr


def test_what_cannot_be_written_is_named_and_the_rest_is_done(site: Path) -> None:
    (site / "app.js.br").mkdir()
    done = run("compress", site, cwd=site)
    assert (done.returncode, done.stderr) == (1, "pwb compress: app.js.br: Is a directory\n")
    assert (site / "app.js.gz").exists()
    assert not [name for name in names(site) if "/." in f"/{name}" and not name.startswith(".git")]


@pytest.fixture
def task(site: Path) -> Task:
    tasks = find_tasks(os.fsencode(site), STANDARD, (b"br",))
    return next(each for each in tasks if each.path.endswith(b"app.js"))


def test_a_current_neighbour_of_another_program_stays(site: Path, task: Task) -> None:
    write(site / "app.js.br", br(SCRIPT), LONG_AGO + 1000)
    assert process(task, write=True).outcome is Outcome.CURRENT
    write(site / "app.js.br", br(SCRIPT), LONG_AGO - 2)
    assert process(task, write=True).outcome is Outcome.CURRENT
    write(site / "app.js.br", br(SCRIPT), LONG_AGO - 3)
    assert process(task, write=False).outcome is Outcome.WRITTEN
    assert (site / "app.js.br").stat().st_mtime == LONG_AGO - 3
    assert process(task, write=True).outcome is Outcome.WRITTEN
    assert (site / "app.js.br").stat().st_mtime == LONG_AGO


def test_a_file_that_changes_meanwhile_gets_no_neighbour(
    site: Path, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(content: bytes, coding: bytes, level: int) -> bytes:
        write(site / "app.js", SCRIPT[:-1])
        return b"coded"

    monkeypatch.setattr("pwb_async.compress.neighbours.encode", encode)
    with pytest.raises(OSError, match="changed"):
        process(task, write=True)
    assert not (site / "app.js.br").exists()


def test_a_write_that_fails_leaves_nothing(site: Path, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    before = names(site)
    monkeypatch.setattr(os, "rename", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="space"):
        process(task, write=True)
    assert names(site) == before


def test_ctrl_c_ends_it(site: Path) -> None:
    write(site / "long.txt", os.urandom(3_000_000).hex().encode())
    command = [sys.executable, "-m", "pwb_async", "compress", str(site)]
    program = subprocess.Popen(
        command, cwd=REPOSITORY, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    end = time.monotonic() + 30
    while not (site / "app.js.gz").exists() and time.monotonic() < end:
        time.sleep(0.01)  # until it has begun to write
    sent = time.monotonic()
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=60)
    assert (program.returncode, errors.strip()) == (130, b"")
    assert time.monotonic() - sent < 10, "it does not wait for what is compressed at the moment"
    assert [name for name in os.listdir(site) if name.startswith(".") and name != ".git"] == []
