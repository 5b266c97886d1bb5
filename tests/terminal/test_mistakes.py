"""Clumsy mistakes of a newcomer: each ends in one line that shows what to do."""

import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conformance.server import environment


class Mistake(NamedTuple):
    """A command line, and the line that it ends in."""

    arguments: str
    """What is typed behind `pwb`."""
    line: str
    """The line behind "pwb: "; {port} is a port that is in use, {folder} the current folder."""
    status: int = 2


MISTAKES = (
    Mistake(
        "siet",
        "cannot serve siet: No such file or directory in {folder} (did you mean 'site'?; another directory: pwb DIRECTORY)",
        1,
    ),
    Mistake(
        "",
        "cannot serve static: No such file or directory in {folder} "
        "(static is the default of ROOT; this directory: pwb .; another one: pwb DIRECTORY)",
        1,
    ),
    Mistake(
        "site/index.html",
        "cannot serve site/index.html: Not a directory (it is a file; to serve its directory: pwb site)",
        1,
    ),
    Mistake(
        "8080", "cannot serve 8080: No such file or directory in {folder} (a port is an option: pwb --port 8080)", 1
    ),
    Mistake(
        "http://localhost:8000/",
        "cannot serve http://localhost:8000/: No such file or directory in {folder} "
        "(it is a URL; pwb serves a directory: pwb DIRECTORY)",
        1,
    ),
    Mistake(
        "site docs",
        "Got unexpected extra argument (docs): ROOT is one directory; --mount /docs/=DIRECTORY serves another one, too",
    ),
    Mistake("site 8000", "Got unexpected extra argument (8000): a port is an option: pwb site --port 8000"),
    Mistake("serve site", "Got unexpected extra argument (site): ROOT is the only argument: pwb site"),
    Mistake("-p 8080 site", "-p: no such option (did you mean '--port'?)"),
    Mistake("--directory site", "--directory: no such option (the directory has no name: pwb DIRECTORY)"),
    Mistake("--bind 0.0.0.0 site", "--bind: no such option (did you mean '--host'?)"),
    Mistake("--live site", "--live: no such option (did you mean '--live-reload'?)"),
    Mistake("--prot 80 site", "--prot: no such option (did you mean '--port'?)"),
    Mistake("--max_age 60 site", "--max_age: no such option (did you mean '--max-age'?)"),
    Mistake("--mode thread site", "--mode: no such option (it is an option of pwb-legacy)"),
    Mistake("site --port", "--port: its value is missing: --port PORT"),
    Mistake("site --port 80a", "--port: '80a' is not a valid integer."),
    Mistake("site --port 99999", "--port: 99999 is not in the range 0<=x<=65535."),
    Mistake("site --browse=true", "--browse: it takes no value: --browse or --no-browse"),
    Mistake(
        "site --port {port}",
        "cannot listen on 127.0.0.1 port {port}: Address already in use ({owner} listens there; "
        "another port: --port {next}, or --port-fallback)",
        1,
    ),
    Mistake(
        "site --port 0 --admin 127.0.0.1:{port}",
        "cannot listen on 127.0.0.1:{port}: Address already in use ({owner} listens there)",
        1,
    ),
    Mistake(
        "site --admin unix:/run/pwb.sock",
        "--admin: 'unix:/run/pwb.sock' has to be written without unix: in front.",
    ),
    Mistake(
        "site --admin http://[::1]:9188", "--admin: 'http://[::1]:9188' has to be written without http:// in front."
    ),
    Mistake(
        "site --host 192.0.2.77",
        "cannot listen on 192.0.2.77 port 8888: Cannot assign requested address "
        "(this machine does not have this address; all that it has: --host 0.0.0.0, itself alone: 127.0.0.1)",
        1,
    ),
    Mistake(
        "site --host [::1]",
        "cannot listen on [::1] port 8888: {unknown} (an IPv6 address is written without brackets: --host ::1)",
        1,
    ),
    Mistake(
        "site --host 127.0.0.1:9000",
        "cannot listen on 127.0.0.1:9000 port 8888: {unknown} "
        "(the port is an option of its own: --host 127.0.0.1 --port 9000)",
        1,
    ),
    Mistake(
        "site --host http://localhost/",
        "cannot listen on http://localhost/ port 8888: {unknown} (it is a URL; the host alone: --host localhost)",
        1,
    ),
    Mistake("explian /", "explian: no such command (did you mean 'explain'?)"),
    Mistake("site --config my.toml", "my.toml: cannot be read: No such file or directory"),
    Mistake(
        "site --profile prod",
        "--profile: 'prod' is not one of 'dev', 'share', 'production' (did you mean 'production'?).",
    ),
    Mistake("help", "cannot serve help: No such file or directory in {folder} (did you mean pwb --help?)", 1),
    Mistake("completion", "pwb completion: SHELL is missing: pwb completion bash|zsh|fish"),
    Mistake("compress", "pwb compress: ROOT is missing: pwb compress DIRECTORY"),
    Mistake(
        "site --access-log logs/access.log",
        "cannot write the access log logs/access.log: No such file or directory (its directory is missing: mkdir -p logs)",
        1,
    ),
    Mistake("site --tls-key key.pem", "--tls-key: it has no meaning without --tls-cert."),
    Mistake("config --prot 80", "pwb config: --prot: no such option (did you mean '--port'?)"),
)
UNKNOWN = "Name or service not known"


def run(folder: Path, words: list[str], **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pwb_async", *words]
    settings = environment() | variables
    return subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=folder, env=settings, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("x")
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own words differ")
def test_the_admin_address_is_not_the_public_one(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    done = run(folder, ["site", "--port", address.rpartition(":")[2], "--admin", address])
    hint = "it is the address for clients; --admin needs another port"
    assert done.stderr == f"pwb: cannot listen on {address}: Address already in use ({hint})\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the system's own words differ")
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.arguments or "nothing")
def test_a_mistake_is_one_line_that_shows_what_to_do(mistake: Mistake, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(folder, shlex.split(mistake.arguments.format(port=port)))
    own = Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode()
    owner = f"{own if len(own) <= 60 else own[:57] + '...'} (pid {os.getpid()})"
    line = mistake.line.format(port=port, next=port + 1, owner=owner, unknown=UNKNOWN, folder=folder)
    prefix = "" if line.startswith("pwb ") else "pwb: "
    assert (done.stdout, done.stderr, done.returncode) == ("", f"{prefix}{line}\n", mistake.status)


def test_a_low_port_without_rights(folder: Path) -> None:
    unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"]
    probe = [*unprivileged, sys.executable, "-c", "import socket; socket.create_server(('127.0.0.1', 80))"]
    if os.geteuid() != 0 or b"PermissionError" not in subprocess.run(probe, capture_output=True, check=False).stderr:
        pytest.skip("low ports are open to any user here, or this is not root")
    folder.chmod(0o755)
    command = [*unprivileged, sys.executable, "-m", "pwb_async", "/", "--port", "80"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd="/", env=environment(), check=False)
    line = "pwb: cannot listen on 127.0.0.1 port 80: Permission denied "
    assert done.stderr == f"{line}(only root may use ports below 1024; another port: --port 8080)\n"
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"PWB_BROWSE": "yes"}, "environment variable PWB_BROWSE: 'yes' is not one of 'true', 'false'."),
        ({"PORT": "http"}, "environment variable PORT: 'http' is not a valid integer."),
    ],
    ids=str,
)
def test_a_mistake_in_the_environment(variables: dict[str, str], line: str, folder: Path) -> None:
    done = run(folder, ["site"], **variables)
    assert (done.stdout, done.stderr, done.returncode) == ("", f"pwb: {line}\n", 2)


def test_a_mistake_in_the_file(folder: Path) -> None:
    (folder / "pwb.toml").write_text("port = 80 80\n")
    done = run(folder, ["site"])
    assert done.stderr.startswith("pwb: pwb.toml: cannot be read: ")
    assert (done.stdout, done.stderr.count("\n"), done.returncode) == ("", 1, 2)
