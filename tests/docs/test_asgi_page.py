"""The examples of docs/asgi.md work: each application in its framework, and each command with a real client."""

import re
import runpy
import shlex
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.test import Client

from tests.asgi.driver import ask, started
from tests.conformance.server import REPOSITORY, environment, eventually

PAGE = (REPOSITORY / "docs" / "asgi.md").read_text()
FILES: dict[str, str] = dict(re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
WSGI = {"with_wsgi.py", "with_flask.py"}
MOUNTED = [name for name in FILES if name.startswith("with_") and name not in WSGI]
WITH_HOME = [name for name in MOUNTED if '"home"' in FILES[name]]
COMMANDS = re.findall(r"^    ((?:uvicorn|hypercorn|granian|gunicorn) .*)$", PAGE, re.MULTILINE)
PORTS = {
    "uvicorn": "--port {}",
    "granian": "--port {}",
    "hypercorn": "--bind 127.0.0.1:{}",
    "gunicorn": "--bind 127.0.0.1:{}",
}
TIMEOUT = 20
SETTINGS = """
from pathlib import Path

BASE_DIR = Path(__file__).parent
SECRET_KEY = "secret"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATICFILES_DIRS = [BASE_DIR / "public"]
"""
URLS = """
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse(static("app.css")))]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the page, and a site."""
    (tmp_path / "public" / "docs").mkdir(parents=True)
    for name, content in {"a.txt": "abc", "app.css": "p { color: red }", "docs/index.html": "docs"}.items():
        (tmp_path / "public" / name).write_text(content)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_examples_of_each_kind() -> None:
    assert len(MOUNTED) == 4
    assert len(COMMANDS) == 4
    assert len(WITH_HOME) == 2
    assert {"alone.py", *WSGI, "settings.py", "asgi.py", "wsgi.py"} <= FILES.keys()


@pytest.mark.parametrize("name", MOUNTED)
async def test_a_mounted_site(name: str, folder: Path) -> None:
    """It gives the same responses as at the root, beneath the path of the mount; its threads end with the application."""
    app = runpy.run_path(name)["app"]
    async with started(app):
        found = await ask(app, "/static/a.txt")
        assert (found.status, found.content) == (200, b"abc")
        head = await ask(app, "/static/a.txt", method="HEAD")
        assert head == found._replace(content=b"")
        unchanged = await ask(app, "/static/a.txt", (b"if-none-match", found.fields["etag"].encode()))
        assert (unchanged.status, unchanged.content) == (304, b"")
        part = await ask(app, "/static/a.txt", (b"range", b"bytes=1-"))
        assert (part.status, part.content, part.fields["content-range"]) == (206, b"bc", "bytes 1-2/3")
        redirect = await ask(app, "/static/docs?q")
        assert (redirect.status, redirect.fields["location"]) == (301, "/static/docs/?q")
        assert (await ask(app, "/static/docs/")).content == b"docs"
        assert (await ask(app, "/static/none")).status == 404
        assert (await ask(app, "/static/a.txt", method="DELETE")).fields["allow"] == "GET, HEAD, OPTIONS"
        assert pwb_threads()
    assert not pwb_threads()


@pytest.mark.parametrize("name", WITH_HOME)
async def test_the_framework_s_own_page_beside_a_mounted_site(name: str, folder: Path) -> None:
    app = runpy.run_path(name)["app"]
    async with started(app):
        found = await ask(app, "/")
        assert (found.status, found.content) == (200, b"home")
        assert (await ask(app, "/none")).status == 404


@pytest.mark.parametrize(
    ("path", "status", "content"), [("/", 200, b"home"), ("/static/a.txt", 200, b"abc"), ("/none", 404, b"")]
)
def test_a_site_mounted_in_flask(path: str, status: int, content: bytes, folder: Path) -> None:
    response = Client(runpy.run_path("with_flask.py")["app"]).get(path)
    assert response.status_code == status
    assert content in response.data


def pwb_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("pwb-")]


async def test_a_site_alone(folder: Path) -> None:
    app = runpy.run_path("alone.py")["app"]
    async with started(app):
        assert (await ask(app, "/a.txt")).content == b"abc"


@contextmanager
def served(command: str) -> Iterator[str]:
    """The URL of a server that a command starts, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = shlex.split(command)
    words += shlex.split(PORTS[words[0]].format(port))
    environ = {**environment(), "PYTHONPATH": f"{REPOSITORY}:{Path.cwd()}", "DJANGO_SETTINGS_MODULE": "settings"}
    process = subprocess.Popen([sys.executable, "-m", *words], env=environ, stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(TIMEOUT)


async def fetch(url: str) -> tuple[dict[str, str], bytes]:
    """The response to a request; the server may still be starting."""
    found: list[tuple[dict[str, str], bytes]] = []

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
                found.append((dict(response.headers), response.read()))
        except urllib.error.HTTPError:
            raise
        except OSError:
            return False
        return True

    await eventually(answers, TIMEOUT)
    return found[0]


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command(command: str, folder: Path) -> None:
    path = "/static/a.txt" if "with_wsgi" not in command and "alone" not in command else "/a.txt"
    with served(command) as url:
        assert (await fetch(url + path))[1] == b"abc"


@pytest.mark.parametrize("command", ["uvicorn --lifespan off asgi:application", "gunicorn wsgi:application"])
async def test_django(command: str, folder: Path) -> None:
    (folder / "settings.py").write_text(SETTINGS + FILES["settings.py"])
    (folder / "urls.py").write_text(URLS)
    environ = {**environment(), "PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "settings"}
    words = [sys.executable, "-m", "django", "collectstatic", "--no-input"]
    subprocess.run(words, env=environ, check=True, timeout=TIMEOUT, stdout=subprocess.DEVNULL)
    with served(command) as url:
        path = (await fetch(url + "/"))[1].decode()
        assert re.fullmatch(r"/static/app\.[0-9a-f]{12}\.css", path)
        fields, content = await fetch(url + path)
        assert content == b"p { color: red }"
        named = {name.lower(): value for name, value in fields.items()}
        assert named["cache-control"] == "max-age=31536000, immutable"
        assert (await fetch(url + "/static/docs/"))[1] == b"docs"


def test_it_names_the_servers_of_the_suite() -> None:
    from tests.asgi.servers import SERVERS

    for design in SERVERS:
        for word in design.name.split("-"):
            assert word.lower() in PAGE.lower()


def test_options_on_the_page(tmp_path: Path) -> None:
    import pwb_async.asgi

    for word in re.findall(r"`(\w+=(?:\[\"[^`]*\]|False|\d+))`", PAGE):
        if not word.startswith("sendfile"):
            eval(f"StaticSite(root, {word})", {"StaticSite": pwb_async.asgi.StaticSite, "root": tmp_path})
