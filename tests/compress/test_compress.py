"""`pwb compress` as a process, and what it writes."""

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import brotli
import pytest

from pwb_async.compress.neighbours import Outcome, Task, find_tasks, process
from pwb_async.core.site.media_types import STANDARD
from tests.conformance.coded import SCRIPT, br, gz, zstd
from tests.conformance.server import REPOSITORY, environment

LONG_AGO = 1_600_000_000


def write(path: Path, content: bytes, mtime: float = LONG_AGO) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    write(site / "app.js", SCRIPT)
    write(site / "sub/page.html", SCRIPT)
    write(site / "image.png", SCRIPT)
    write(site / "noise.txt", os.urandom(5000))
    write(site / ".git/config.txt", SCRIPT)
    write(site / "_headers", SCRIPT)
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
    assert "3 files worth compressing" in done.stdout
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
