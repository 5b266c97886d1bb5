"""Other servers and other interpreters in `compare`: how they are started, judged, measured and ended."""

import functools
import http.client
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pwb_legacy.compare.measure import probes, sample_site
from pwb_legacy.compare.measure.interpreters import under
from pwb_legacy.compare.measure.others import also, nginx, tried
from pwb_legacy.compare.measure.servers import CannotError, serving
from pwb_legacy.compare.report import page

from .sample_results import whole
from .test_compare import EPOLL, command_lines, read, told

STDLIB = f"stdlib={sys.executable} -m http.server {{port}} --bind 127.0.0.1 --directory {{root}}"
BUSYBOX = "busybox=busybox httpd -f -p 127.0.0.1:{port} -h {root}"
SHORT = ("--quick", "--modes", "epoll", "--scenarios", "kept", "--duration", "0.1")
needs_busybox = pytest.mark.skipif(not shutil.which("busybox"), reason="busybox is not installed")
needs_nginx = pytest.mark.skipif(nginx() is None, reason="nginx is not installed")


@pytest.fixture
def site(tmp_path: Path) -> sample_site.Site:
    root = tmp_path / "site"
    root.mkdir()
    (root / "page.html").write_text("a page")
    return sample_site.find(root, 1)


@pytest.mark.parametrize(
    ("text", "keeps_alive"),
    [(STDLIB, False), pytest.param(BUSYBOX, False, marks=needs_busybox)],
)
def test_a_command_is_tried_and_measured(text: str, keeps_alive: bool, tmp_path: Path) -> None:
    status, said, errors = told("compare", *SHORT, "--also", text, "--out", tmp_path)
    assert (status, errors) == (0, "")
    name = text.partition("=")[0]
    assert re.search(rf"^{name}: another server: of \d+ requests it answers \d+ ", said, re.MULTILINE)
    results = read(tmp_path)
    epoll, other = results.designs
    assert (other.name, other.kind, other.keeps_alive) == (name, "other", keeps_alive)
    assert 0 < other.unlike < other.asked
    assert (epoll.kind, epoll.asked) == ("design", 0)
    (measured,) = results.of(name, "kept")
    assert measured.why is None
    assert measured.requests > measured.failures  # a queue of five connections may overflow
    assert measured.cpu_us
    assert measured.memory_kib
    assert f"of {other.asked} requests it answers" in (tmp_path / "compare.html").read_text()


@needs_nginx
def test_nginx_is_there_for_reference_and_nothing_is_claimed_about_it(tmp_path: Path) -> None:
    words = ("--quick", "--scenarios", "kept", "--rounds", "6", "--duration", "0.05", "--out", tmp_path)
    status, said, errors = told("compare", "--modes", "nginx,single,async", *words)
    assert (status, errors) == (0, "")
    results = read(tmp_path)
    assert [(one.name, one.kind) for one in results.designs] == [
        ("single", "design"),
        ("async", "design"),
        ("nginx", "reference"),
    ]
    assert all(one.why is None and one.requests for one in results.of("nginx", "kept"))
    assert not any("nginx" in (*claim["winners"], *claim["losers"]) for claim in results.claims)
    drawn = (tmp_path / "compare.html").read_text()
    assert "for reference: not a design of PWB" in drawn
    assert 'stroke="var(--line)"' in drawn
    assert "requests are answered alike by all 2 designs" in said


@needs_nginx
def test_all_processes_of_a_server_are_on_its_cores_and_their_cpu_time_counts(site: sample_site.Site) -> None:
    """nginx has forked its workers before the laboratory gets its process id."""
    core = min(os.sched_getaffinity(0))
    contestant = nginx()
    assert contestant is not None
    with serving(contestant, site.root, {core}) as server:
        members = probes.tree(server.pid)
        assert len(members) > 1
        assert [os.sched_getaffinity(pid) for pid in members] == [{core}] * len(members)
        before = server.cpu_seconds()
        clock = sum(time.clock_gettime((~pid << 3) | 2) for pid in members)
        client = http.client.HTTPConnection(*server.address)
        for _ in range(500):
            client.request("GET", site.page.decode())
            client.getresponse().read()
        client.close()
        spent = sum(time.clock_gettime((~pid << 3) | 2) for pid in members) - clock
        assert server.cpu_seconds() - before > spent * 0.8 > 0


@needs_nginx
def test_what_needs_an_option_of_pwb_is_left_out(tmp_path: Path) -> None:
    words = ("--quick", "--scenarios", "slow-disk", "--duration", "0.05", "--out", tmp_path)
    status, _, errors = told("compare", "--modes", "nginx,async", *words)
    assert (status, errors) == (0, "")
    (measured,) = read(tmp_path).of("nginx", "slow-disk")
    assert measured.why == "it has no option --delay-disk, which this scenario needs"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("false {port}", "it ended with status 1: it wrote nothing"),
        ("no-such-program {port}", "no-such-program: No such file or directory"),
        ("sh -c 'echo first; echo last >&2; exit 3' {port}", "it ended with status 3: last"),
        ("sh -c 'echo last; kill -9 $$' {port}", "it ended with status -9: last"),
        (
            f"{sys.executable} -m http.server {{port}} --directory /proc/self/fd",
            "it answers GET /page.html with status 404; does the command have {root}?",
        ),
    ],
)
def test_a_command_that_fails_is_one_line_with_its_last_output(command: str, why: str, site: sample_site.Site) -> None:
    status, output, errors = told("compare", site.root, *SHORT, "--also", f"mine={command}", "--out", site.root.parent)
    assert (status, output) == (1, "")
    assert errors == f"pwb-legacy: --also mine: {why}\n"


def test_a_command_that_never_listens_is_one_line(site: sample_site.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pwb_legacy.compare.measure.servers.START_SECONDS", 1.0)
    with pytest.raises(CannotError, match=r"^mine: it did not listen on port \d+ within 1 s: not yet$"):
        tried(also("mine=sh -c 'echo not yet; exec sleep 600' {port}"), site, ())


@pytest.mark.parametrize("ends", [True, False])
def test_nothing_of_a_command_is_left_when_it_ends(ends: bool, site: sample_site.Site) -> None:
    """A process in the background, whose parent has ended or is still there."""
    mark = f"sleep 600.{os.getpid()}{ends:d}"
    serve = "exit 3" if ends else f"exec {STDLIB.partition('=')[2]}"
    one = also(f"mine=sh -c '{mark} & {serve}'" + (" {port}" if ends else ""))
    if ends:
        with pytest.raises(CannotError, match="status 3"):
            tried(one, site, ())
    else:
        with serving(one, site.root) as server:
            assert len(probes.tree(server.pid)) == 2
    end = time.monotonic() + 5  # a process that was killed ends a moment later
    while mark in [line.strip() for line in command_lines()]:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_cpu_and_memory_of_a_command_are_those_of_its_tree(site: sample_site.Site) -> None:
    burn = "import time; kept = b'x' * (64 << 20)\nwhile time.process_time() < 0.3: pass\nprint(flush=True); time.sleep(600)"
    program = (
        "import subprocess, sys, http.server\n"
        f"child = subprocess.Popen([sys.executable, '-c', {burn!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()"
    )
    one = replace(also("mine=x {port}"), words=(sys.executable, "-c", program, "{port}"))
    with serving(one, site.root) as server:
        assert server.cpu_seconds() >= 0.3
        held = probes.vitals(server.pid)
        assert held.processes == 2
        assert held.memory_kib > 64 << 10


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--also", "a"), "'a' is not NAME=command, with a name of letters, digits, - and _"),
        (("--also", "a/b=c {port}"), "'a/b=c {port}' is not NAME=command, with a name of letters, digits, - and _"),
        (("--also", "a=b"), "a: the command has no {port}, on which it is to listen"),
        (("--also", "a='b {port}"), "a: No closing quotation"),
        (("--also", "epoll=b {port}"), "epoll is the name of another contestant; choose a different one"),
        (("--also", "a=b {port}", "--also", "a=c {port}"), "--also: two commands have the same name"),
        (("--modes", "nginx"), "--modes: nginx is there for reference only; name a design beside it"),
    ],
)
def test_wrong_use_is_one_line(words: tuple[str, ...], why: str) -> None:
    status, output, errors = told("compare", *words)
    assert (status, output) == (2, "")
    assert errors.endswith(f"{why}\n")
    assert errors.count("\n") == 1


# --- other interpreters


@functools.cache
def environment_of_its_own(folder: Path, packages: bool) -> Path:
    """A virtual environment of this interpreter, which finds the packages of this one, or none."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    if packages:
        (found,) = folder.glob("lib/python*/site-packages")
        (found / "these.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return environment_of_its_own(tmp_path_factory.mktemp("other"), True)


def test_designs_are_measured_under_another_interpreter(other: Path, tmp_path: Path) -> None:
    words = ("--quick", "--modes", "thread,async", "--scenarios", "kept", "--duration", "0.1", "--python", other)
    status, said, errors = told("compare", *words, "--out", tmp_path)
    assert (status, errors) == (0, "")
    assert "answered alike by all 4 designs" in said
    release = "{}.{}".format(*sys.version_info) + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else "")
    results = read(tmp_path)
    assert [one.name for one in results.designs] == ["thread", "async", f"thread@{release}", f"async@{release}"]
    assert all(one.why is None and one.requests for one in results.measurements)
    assert [bool(one.python) for one in results.designs] == [False, False, True, True]
    assert f"{other} -m pwb_async" in results.designs[-1].command
    drawn = (tmp_path / "compare.html").read_text()
    assert f"{results.designs[-1].python}, GIL {'on' if results.designs[-1].gil else 'off'}" in drawn


async def test_the_server_runs_under_that_interpreter(other: Path, site: sample_site.Site) -> None:
    (one,) = under([EPOLL], [os.fspath(other)])
    with serving(one, site.root) as server:
        words = Path(f"/proc/{server.pid}/cmdline").read_bytes().split(b"\0")
        assert words[0] == os.fsencode(other)


def test_two_interpreters_of_one_release_have_different_names(other: Path) -> None:
    names = [one.name for one in under([EPOLL], [os.fspath(other), sys.executable])]
    assert len(set(names)) == 2
    assert names[1] == f"{names[0]}-2"


def test_an_interpreter_that_lacks_packages_is_one_line(tmp_path: Path) -> None:
    bare = environment_of_its_own(tmp_path / "bare", False)
    status, output, errors = told("compare", "--modes", "epoll,gevent", "--python", bare)
    assert (status, output) == (1, "")
    assert errors == (
        f"pwb-legacy: --python {bare}: it lacks click, gevent, xxhash: {bare} -m pip install click gevent xxhash\n"
    )


@pytest.mark.parametrize(
    ("program", "why"),
    [("/bin/ls", "it is no Python: "), ("/no/such/python", "there is no such program"), ("/bin/true", "no output")],
)
def test_what_is_no_interpreter_is_one_line(program: str, why: str) -> None:
    status, output, errors = told("compare", "--modes", "epoll", "--python", program)
    assert (status, output) == (1, "")
    assert errors.startswith(f"pwb-legacy: --python {program}: ")
    assert why in errors
    assert errors.count("\n") == 1


def test_the_page_says_whether_the_lock_is_on() -> None:
    results = whole(1)
    first, second, *others = results.designs
    results.designs = [
        replace(first, python="CPython 3.14.0 free-threaded", gil=False),
        replace(second, python="CPython 3.13.0"),
        *others,
    ]
    drawn = page.render(results)
    assert "CPython 3.14.0 free-threaded, GIL off" in drawn
    assert "CPython 3.13.0, GIL on" in drawn
