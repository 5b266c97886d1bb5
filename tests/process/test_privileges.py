"""--sandbox and --user: what a serving process cannot do, tried from inside and from outside."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pwb_async.runtime.landlock import allowed_root, find_landlock
from pwb_async.runtime.privileges import find_user
from tests.conformance.coded import DECODERS, SCRIPT
from tests.conformance.peer import TIMEOUT, send_request
from tests.conformance.server import environment
from tests.conformance.strace import needs_strace
from tests.conformance.wire import get

from .command import launched
from .helpers import TEXT, fetch_fresh, workers


def _has_landlock() -> bool:
    try:
        return find_landlock() > 0
    except OSError:
        return False


needs_landlock = pytest.mark.skipif(not _has_landlock(), reason="this kernel has no Landlock")
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can switch to another user")

INSIDE = """
import os, socket, sys, threading, _socket
from pwb_async.config.options import Options
from pwb_async.runtime.privileges import drop_privileges
root, secret = sys.argv[1:]
log = os.open(root + "/../log", os.O_WRONLY | os.O_CREAT)
drop_privileges(Options(root=root, sandbox=True))

def attempt(what, act):
    try:
        act()
    except PermissionError:
        print(what, "denied")
    except OSError as error:
        print(what, error)
    else:
        print(what, "done")

def elsewhere():
    attempt("thread", lambda: os.open(secret, os.O_RDONLY))

attempt("root", lambda: os.open(root + "/a.txt", os.O_RDONLY))
attempt("list", lambda: os.scandir(root))
attempt("log", lambda: os.write(log, b"x"))
attempt("secret", lambda: os.open(secret, os.O_RDONLY))
attempt("parent", lambda: os.scandir(root + "/.."))
attempt("passwd", lambda: os.open("/etc/passwd", os.O_RDONLY))
attempt("magic", lambda: os.open("/proc/self/root/etc/passwd", os.O_RDONLY))
attempt("write", lambda: os.open(root + "/a.txt", os.O_WRONLY))
attempt("make", lambda: os.open(root + "/new", os.O_WRONLY | os.O_CREAT))
attempt("remove", lambda: os.unlink(root + "/a.txt"))
attempt("rename", lambda: os.rename(root + "/a.txt", root + "/b.txt"))
attempt("folder", lambda: os.mkdir(root + "/new"))
attempt("execute", lambda: os.execv("/bin/true", ["true"]))
thread = threading.Thread(target=elsewhere)
thread.start()
thread.join()
child = os.fork()
if not child:
    attempt("child", lambda: os.open(secret, os.O_RDONLY))
    os._exit(0)
os.waitpid(child, 0)
"""
"""Attempts of an attacker in control of the process."""


@needs_landlock
def test_everything_but_reading_the_root_is_denied(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    done = subprocess.run(
        [sys.executable, "-u", "-c", INSIDE, root, tmp_path / "secret"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=TIMEOUT,
        check=True,
    )
    attempted = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert {what for what, result in attempted.items() if result == "done"} == {"root", "list", "log"}
    assert set(attempted.values()) == {"done", "denied"}
    assert len(attempted) == 15


VULNERABLE = """
import os, sys
from pwb_async.storage import open_beneath as beneath
from pwb_async.core.semantics import target

def anywhere(root, path, flags):
    return os.open(path.replace(b"UP", b".."), flags, dir_fd=root)

beneath._has_openat2 = lambda root: False
beneath.openat_walk = anywhere
from pwb_async.__main__ import main
main()
"""
"""The server with a vulnerability: /UP/ leads out of the root."""


@needs_landlock
@pytest.mark.parametrize("option", ["--no-sandbox", "--sandbox"])
async def test_the_sandbox_contains_a_vulnerability(option: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "hole.py").write_text(VULNERABLE)
    # The command is `python -m pwb_async ...`: the shell takes the first three words away and runs the hole instead.
    wrapper = ("sh", "-c", 'python=$1; shift 3; exec "$python" hole.py "$@"', "sh")
    async with launched(root, "--port", "0", option, folder=tmp_path, wrapper=wrapper) as server:
        assert (await fetch_fresh(server)).content == TEXT
        answer = await fetch_fresh(server, "/UP/secret.txt")
    if option == "--sandbox":
        assert answer.status == 403
        assert b"secret" not in answer.content
    else:
        assert answer.content == b"secret", "without the sandbox the vulnerability works"


@needs_landlock
async def test_a_release_can_be_swapped_by_its_link(tmp_path: Path) -> None:
    """The sandbox allows the folder that contains the link's target."""
    for name in ("one", "two"):
        (tmp_path / "releases" / name).mkdir(parents=True)
        (tmp_path / "releases" / name / "a.txt").write_text(name)
    (tmp_path / "current").symlink_to("releases/one")
    async with launched("current", "--port", "0", "--sandbox", "--cache", "off", folder=tmp_path) as server:
        assert (await fetch_fresh(server)).content == b"one"
        (tmp_path / "next").symlink_to("releases/two")
        (tmp_path / "next").rename(tmp_path / "current")
        assert (await fetch_fresh(server)).content == b"two"


@needs_landlock
@pytest.mark.parametrize("coding", DECODERS)
async def test_the_encoders_are_there_in_the_sandbox(coding: str, tmp_path: Path) -> None:
    """They are imported on first use elsewhere; in the sandbox no module can be found."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "a.js").write_bytes(SCRIPT)
    async with launched(site, "--port", "0", "--sandbox", folder=tmp_path) as server:
        response = await send_request(server.address, get("/a.js", f"Accept-Encoding: {coding}"))
        assert response["Content-Encoding"] == coding
        assert DECODERS[coding](response.content) == SCRIPT


RELOAD = """
import sys
from dataclasses import replace
from pwb_async.config.parsers import Delay
from pwb_async.config.options import Options
from pwb_async.runtime.opening import open_context, reload_context
options = Options(root=sys.argv[1], port=0, sandbox=True, access_log="off", compress=False)
context = open_context("test", options, lambda: replace(options, delay_disk=(Delay("*", 0.02, 0),)))
context.drop_privileges()
print(type(reload_context(context).storage).__name__)
"""


@needs_landlock
def test_a_program_that_has_dropped_its_rights_can_still_reload(root: Path) -> None:
    """What the new options need is imported already: in the sandbox no module can be found."""
    python = (sys.executable, "-c", RELOAD, root)
    done = subprocess.run(python, env=environment(), capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.stdout == "SlowDisk\n", done.stderr


@needs_landlock
def test_the_folder_that_the_sandbox_allows(tmp_path: Path) -> None:
    release = tmp_path / "releases" / "42" / "public"
    release.mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/42")
    assert allowed_root(str(release)) == str(release)
    assert allowed_root(str(tmp_path / "current")) == str(tmp_path / "releases")
    assert allowed_root(str(tmp_path / "current" / "public")) == str(tmp_path / "releases")


@needs_strace
@pytest.mark.parametrize("number", ["ENOSYS", "EOPNOTSUPP"])
async def test_a_kernel_without_landlock_is_refused(number: str, root: Path, tmp_path: Path) -> None:
    call = "landlock_create_ruleset"
    wrapper = (
        "strace",
        "-D",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:error={number}",
    )
    async with launched(root, "--port", "0", "--sandbox", folder=tmp_path, wrapper=wrapper, status=1) as server:
        await server.exited()
    assert re.fullmatch(r"pwb: cannot use --sandbox: this kernel has no Landlock \(.*\)\n", server.error_output())
    assert server.log.read_bytes() == b"", "it has not listened"


# -- another user


def identity(pid: int) -> dict[str, list[str]]:
    status = Path(f"/proc/{pid}/status").read_text()
    return {
        name: words.split()
        for name, words in re.findall(r"^(Uid|Gid|Groups|CapEff|CapPrm):(.*)$", status, re.MULTILINE)
    }


@as_root
@pytest.mark.parametrize(("user", "gid"), [("nobody", None), ("65534:12345", "12345"), ("nobody:daemon", None)])
async def test_workers_have_the_rights_of_another_user(user: str, gid: str | None, root: Path, tmp_path: Path) -> None:
    folder = Path("/tmp") / f"pwb-user-{os.getpid()}"  # pytest's own folders are root's alone
    folder.mkdir()
    try:
        (folder / "a.txt").write_bytes(TEXT)
        async with launched(folder, "--port", "0", "--user", user, folder=tmp_path) as server:
            assert (await fetch_fresh(server)).content == TEXT
            (worker,) = workers(server)
            assert worker != server.pid
            now = identity(worker)
            assert set(now["Uid"]) == {"65534"}
            assert len(set(now["Gid"])) == 1
            assert gid is None or now["Gid"][0] == gid
            assert "0" not in now["Groups"]
            assert {*now["CapEff"], *now["CapPrm"]} == {"0" * 16}
    finally:
        (folder / "a.txt").unlink()
        folder.rmdir()


@as_root
async def test_a_root_that_the_user_may_not_enter(root: Path, tmp_path: Path) -> None:
    root.chmod(0o700)
    async with launched(root, "--port", "0", "--user", "nobody", folder=tmp_path, status=1) as server:
        await server.exited()
    assert server.error_output() == f"pwb: cannot serve {root} with fewer rights: Permission denied\n"


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("nobody-at-all", "there is no such user"),
        ("4000000000", "there is no such user, and so no group; NUMBER:GROUP names one"),
    ],
)
async def test_an_unknown_user(user: str, reason: str, root: Path, tmp_path: Path) -> None:
    async with launched(root, "--port", "0", "--user", user, folder=tmp_path, status=1) as server:
        await server.exited()
    assert server.error_output() == f"pwb: cannot become {user}: {reason}\n"


@as_root
async def test_only_root_can_switch_to_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PermissionError, match="only root"):
        find_user("nobody")
