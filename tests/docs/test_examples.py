"""The programs accept the commands and TOML files of the pages; servers are really started."""

import grp
import importlib.util
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pwb_async.compress.commands import compress
from pwb_async.config.loader import read_options
from pwb_async.explain.commands import run as explain
from pwb_legacy.book.commands import book
from pwb_legacy.check.commands import check
from pwb_legacy.compare.commands import laboratory
from tests.conformance.server import environment
from tests.storage.archives.build import Packed, pack
from tests.storage.object_store.stores import FaultyProxy, rclone, settings
from tests.tls.certificates import make
from tests.tls.handshake import client_context

from . import fresh_clone
from .examples import COMMANDS, FILES, PAGES, ROOT, Example

MODULES = {"pwb": "pwb_async", "pwb-legacy": "pwb_legacy"}
"""The programs of the package, and their modules for `python -m`."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
SHIPPED = ("pipx", "uvx", "~/pwb.pyz", "SHIV_CONSOLE_SCRIPT=pwb-legacy", ".venv/bin/shiv")
"""How commands begin that make or run what is shipped; fresh_clone.py types them."""
ONE = "tests/docs/test_options_page.py::test_the_page_is_current"
"""A test that pytest must find."""
TIMEOUT = 20


def arguments(example: Example) -> list[str]:
    """The words of a command, with `.venv/bin/python -m pwb_async` as `.venv/bin/pwb`."""
    words = example.words
    for program, module in MODULES.items():
        if words[0].endswith("python") and words[1:3] == ["-m", module]:
            return [f".venv/bin/{program}", *words[3:]]
    return words


def unique(program: str) -> dict[str, list[str]]:
    """The arguments of all examples of a program, by the command."""
    every = [arguments(example) for example in COMMANDS]
    return {shlex.join(words): words[1:] for words in every if words[0] == f".venv/bin/{program}"}


PWB, LEGACY = unique("pwb"), unique("pwb-legacy")
LABORATORY = {command: words for command, words in LEGACY.items() if words and words[0] in laboratory.commands}
BOOK = {command: words[1:] for command, words in LEGACY.items() if words[:1] == ["book"]}
CHECK = {command: words[1:] for command, words in LEGACY.items() if words[:1] == ["check"]}
HELP = {command: words for command, words in PWB.items() if words == ["--help"]}
COMPRESS = {command: words[1:] for command, words in PWB.items() if words[:1] == ["compress"]}
EXPLAIN = {command: words[1:] for command, words in PWB.items() if words[:1] == ["explain"]}
DESCRIBED = {command: words for command, words in PWB.items() if words[:1] in (["config"], ["completion"], ["man"])}
"""The commands that describe PWB."""
NO_SERVERS = {**HELP, **COMPRESS, **EXPLAIN, **DESCRIBED}
SERVERS = {
    **{command: ("pwb", words) for command, words in PWB.items() if command not in NO_SERVERS},
    **{command: ("pwb-legacy", words) for command, words in LEGACY.items() if "--mode" in words},
}
PYTHON = {command: words[1:] for command, words in unique("python").items()}
TESTS = {command: words[1:] for command, words in PYTHON.items() if words[0] == "pytest"}
TOOLS = {command: words for command, words in PYTHON.items() if words[0].startswith("tests.")}
TYPED = {command: words for command, words in unique("python").items() if words[0].startswith("pwb_legacy/typed/")}
"""The programs to type; tests/typed runs them."""


@pytest.mark.parametrize(
    "page", ["README.md", "README.zh-CN.md", "CONTRIBUTING.md", "docs/laboratory.md", "docs/laboratory.zh-CN.md"]
)
def test_a_page_has_examples(page: str) -> None:
    assert page in PAGES
    assert [example for example in COMMANDS if example.page == page]


@pytest.mark.parametrize("example", COMMANDS, ids=str)
def test_a_command_works_in_a_fresh_shell(example: Example) -> None:
    """No environment is activated, and Debian has no `python`."""
    words = example.words
    assert words[0].startswith((".venv/bin/", *SHIPPED)) or words == ["python3", "-m", "venv", ".venv"]


@pytest.mark.parametrize("example", COMMANDS, ids=str)
def test_every_command_is_tested(example: Example) -> None:
    words = arguments(example)
    command = shlex.join(words)
    if words[0].removeprefix(".venv/bin/") in ("ruff", "mypy"):
        assert any(name.startswith(words[0].removeprefix(".venv/bin/")) for name in EXTRAS["test"])
    elif words[:3] == [".venv/bin/pip", "install", "-r"]:
        assert (ROOT / words[3]).exists()
    elif words[:2] == [".venv/bin/pip", "install"]:
        assert not set(re.findall(r"\w+", words[-1])) - EXTRAS.keys()
        assert words[-1].startswith(".")
    elif words[0] in SHIPPED or words == [".venv/bin/python", "-m", "build"]:
        assert example.page in fresh_clone.PAGES
    elif words[0] != "python3":
        listing = LEGACY if words == [".venv/bin/pwb-legacy"] else {}
        assert command in {
            **SERVERS,
            **LABORATORY,
            **BOOK,
            **CHECK,
            **NO_SERVERS,
            **TESTS,
            **TOOLS,
            **TYPED,
            **listing,
        }


@pytest.mark.parametrize("command", LABORATORY)
def test_the_laboratory_accepts_its_options(command: str) -> None:
    name, *words = LABORATORY[command]
    laboratory.commands[name].make_context(name, words)


@pytest.mark.parametrize("command", BOOK)
def test_the_command_book_takes_its_arguments(command: str) -> None:
    """What it prints is in docs/book.md, which tests/docs/test_book_page.py checks."""
    book.make_context("book", list(BOOK[command]))


@pytest.mark.parametrize("command", CHECK)
def test_the_command_check_takes_its_arguments(command: str) -> None:
    """tests/check runs it."""
    check.make_context("check", list(CHECK[command]))


@pytest.mark.parametrize("command", COMPRESS)
def test_the_command_compress_takes_its_arguments(command: str) -> None:
    """tests/compress runs it."""
    compress.make_context("compress", list(COMPRESS[command]))


@pytest.mark.parametrize("command", EXPLAIN)
def test_the_command_explain_takes_its_arguments(command: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it prints is in docs/explain.md, which tests/docs/test_explain_page.py checks."""
    monkeypatch.chdir(home)
    explain([word.replace("~", str(home)) if word.startswith("~") else word for word in EXPLAIN[command]])


@pytest.mark.parametrize("command", DESCRIBED)
def test_a_command_that_describes_pwb_prints_something(command: str) -> None:
    """What it prints, tests/terminal/test_commands.py checks."""
    assert len(run("-m", "pwb_async", *DESCRIBED[command])) > 100


@pytest.mark.parametrize("command", TOOLS)
def test_a_tool_exists_and_accepts_its_options(command: str) -> None:
    module, *words = TOOLS[command]
    assert importlib.util.find_spec(module)
    if words:
        offered = run("-m", module, "--help")
        assert {word for word in words if word[0] == "-"} <= set(re.findall(r"--[a-z0-9-]+", offered))


@pytest.mark.parametrize("command", TYPED)
def test_a_program_to_type_exists(command: str) -> None:
    assert (ROOT / TYPED[command][0]).exists()


@pytest.mark.parametrize("command", TESTS)
def test_pytest_accepts_its_options_and_finds_the_files(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = TESTS[command]
    named = [ROOT / word for word in words if word.startswith("tests/")]
    assert all(path.exists() for path in named)
    options = [word for word in words if not word.startswith("tests/")]
    if "-k" in words:
        wanted = words[words.index("-k") + 1]
        files = [each for path in named for each in ([path] if path.is_file() else path.rglob("*.py"))]
        rows = [*files, *ROOT.glob("tests/conformance/rows/*.py")]
        assert any(wanted in path.read_text() or wanted in path.stem for path in rows)
    if "-m" in words:
        assert words[words.index("-m") + 1] in ("quiet", "not quiet")
    if options := _without(_without(options, "-k"), "-m"):
        monkeypatch.setenv(
            "COVERAGE_FILE", str(tmp_path / "coverage")
        )  # so that the coverage of this run is not overwritten
        output = run("-m", "pytest", *options, "--collect-only", "-q", "-p", "no:cacheprovider", ONE)
        assert "1 test collected" in output


@pytest.mark.parametrize("example", FILES, ids=str)
def test_a_toml_file_is_read(example: Example, tmp_path: Path) -> None:
    (tmp_path / example.file).write_text(example.text)
    table = tomllib.loads(example.text)
    table = table["tool"]["pwb"] if example.file == "pyproject.toml" else table
    assert table
    options = read_options("pwb", [], {}, tmp_path)
    assert options.root == table["root"]


def test_help_and_the_list_of_modes_are_printed() -> None:
    assert HELP
    assert "--port" in run("-m", "pwb_async", "--help")
    assert "epoll-thread" in run("-m", "pwb_legacy")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a site and a certificate, for `~`; it is the current one as well, with a site called static."""
    for name in ("site", "static"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text("hello PWB")
    (tmp_path / "dist").mkdir()
    for archive in ("site.zip", "backup.tar", "dist/package-1.0-py3-none-any.whl"):
        pack(tmp_path / archive, [Packed(b"index.html", b"hello PWB")])
    (tmp_path / "tls").mkdir()
    certificate, key = make("localhost").write(tmp_path / "tls")
    certificate.rename(certificate.with_name("fullchain.pem"))
    key.rename(key.with_name("privkey.pem"))
    return tmp_path


@pytest.mark.parametrize("command", SERVERS)
def test_a_server_starts_answers_and_stops(command: str, home: Path) -> None:
    """The command is that of the page, except for the port and the group of a Unix socket."""
    program, words = SERVERS[command]
    group = grp.getgrgid(os.getgid()).gr_name
    words = [word.replace("~", str(home)) if word.startswith("~") else word for word in words]
    words = [group if word == "www-data" else word for word in words]
    unix = words[words.index("--unix") + 1] if "--unix" in words else ""
    with (
        store(home, words),
        started(MODULES[program], [*words, *([] if unix else ["--port", "0"])], home) as (process, line),
    ):
        url = re.search(r"(https?)://[\d.]+:(\d+)(/\S*)", line)
        assert unix or url
        path = url[3] if url else "/"
        with connected(unix or ("127.0.0.1", int(url[2]) if url else 0), bool(url) and url[1] == "https") as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            response = b"".join(iter(lambda: client.recv(65536), b""))
        assert response.startswith(b"HTTP/1.1 200 OK\r\n")
        assert response.endswith(b"hello PWB")
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0


@contextmanager
def store(home: Path, words: list[str]) -> Iterator[None]:
    """The object store of a command that names one: its bucket has the site, and its settings are in the environment."""
    urls = [word for word in words if word.startswith("s3://")]
    if not urls:
        yield
        return
    (home / "store" / urls[0].removeprefix("s3://")).mkdir(parents=True)
    (home / "store" / urls[0].removeprefix("s3://") / "index.html").write_text("hello PWB")
    with rclone(home / "store") as port, FaultyProxy(port).running() as proxy, pytest.MonkeyPatch.context() as patch:
        for name, value in settings(proxy.port).items():
            patch.setenv(name, value)
        yield


@contextmanager
def connected(address: str | tuple[str, int], tls: bool) -> Iterator[socket.socket]:
    """A connection to a server. Over TLS the client trusts any certificate."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as client:
        client.settimeout(TIMEOUT)
        client.connect(address)
        if not tls:
            yield client
            return
        with client_context().wrap_socket(client) as secure:
            yield secure


@contextmanager
def started(module: str, words: list[str], home: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server and the line with its address; the server is killed if it does not print that line in time."""
    with (
        (home / "errors").open("w+") as errors,
        subprocess.Popen(
            [sys.executable, "-m", module, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=home,
            env={**environment(), "XDG_DATA_HOME": str(home / "data")},
            text=True,
        ) as process,
    ):
        alarm = threading.Timer(2 * TIMEOUT, process.kill)
        alarm.start()
        try:
            assert process.stdout is not None
            line = next((line for line in process.stdout if "listening on" in line), "")
            if not line and "Landlock" in (home / "errors").read_text():
                pytest.skip("this kernel has no Landlock")
            assert line, (home / "errors").read_text()
            yield process, line
        finally:
            alarm.cancel()
            process.kill()


def run(*words: str, status: int = 0) -> str:
    """The output of `python` with these words, at the top of the repository."""
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment(), check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def _without(words: list[str], option: str) -> list[str]:
    """Words without an option and its value."""
    if option not in words:
        return words
    at = words.index(option)
    return words[:at] + words[at + 2 :]
