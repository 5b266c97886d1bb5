"""pwb_site: sites for tests of clients, with recorded requests and injected faults."""

import http.client
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import pwb_async
from tests.conformance.peer import Peer
from tests.conformance.server import REPOSITORY, environment
from tests.conformance.tls import trusting_context
from tests.conformance.wire import get

from .resources import TIMEOUT, fetch

FILES = {"index.html": "<h1>Hello</h1>", "a.txt": "text", "b/c d.bin": bytes(200_000)}


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pwb_async.SiteFactory]:
    """What the fixture pwb_site is, whether the plugin is installed or not."""
    factory = pwb_async.SiteFactory(lambda: tmp_path_factory.mktemp("site"))
    before = {thread for thread in threading.enumerate() if thread.name.startswith("pwb")}
    yield factory
    factory.close()
    assert {thread for thread in threading.enumerate() if thread.name.startswith("pwb")} == before


def test_a_dict_is_a_site(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    assert site.url == f"http://127.0.0.1:{site.port}/"
    assert (fetch(site.port, "/"), fetch(site.port), fetch(site.port, "/b/c%20d.bin")) == (
        b"<h1>Hello</h1>", b"text", bytes(200_000),
    )  # fmt: skip
    (site.root / "a.txt").write_text("changed")
    assert fetch(site.port) == b"changed"


@pytest.mark.parametrize("name", ["", ".", "../a", "/etc/a", "a/../../b"])
def test_a_dict_writes_nothing_elsewhere(serve: pwb_async.SiteFactory, name: str) -> None:
    with pytest.raises(pwb_async.ConfigError, match="is not the path of a file in the site"):
        serve({name: "text"})


def test_a_directory_is_a_site_with_options(serve: pwb_async.SiteFactory, tmp_path: Path) -> None:
    (tmp_path / "about.html").write_text("about")
    sites = serve(tmp_path, clean_urls=True), serve(str(tmp_path), prefix="/x/", loop="asyncio")
    assert fetch(sites[0].port, "/about") == fetch(sites[1].port, "/x/about.html") == b"about"
    assert sites[0].root == sites[1].root == tmp_path
    with pytest.raises(TypeError, match="there is no option 'prot'"):
        serve(tmp_path, prot=1)  # type: ignore[call-arg]


def test_requests_are_recorded(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    httpx.get(site.url + "b/c%20d.bin?x=1&y=%20", headers={"X-A": "b"})
    httpx.head(site.url)
    httpx.post(site.url + "none/", content=b"content")
    first, second, third = site.requests
    assert (first.method, first.path, first.query) == ("GET", "/b/c d.bin", "x=1&y=%20")
    assert (first.fields["x-a"], first.version, first.client) == ("b", "1.1", "127.0.0.1")
    assert (second.method, second.path, second.query) == ("HEAD", "/", None)
    assert (third.method, third.path) == ("POST", "/none/")


def test_what_is_refused_is_recorded_too(serve: pwb_async.SiteFactory, tmp_path: Path) -> None:
    site = serve(FILES, deny=["127.0.0.1"])
    assert httpx.get(site.url).status_code == 403
    assert [request.path for request in site.requests] == ["/"]


def test_the_client_is_that_which_a_proxy_names(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES, trusted_proxy=["127.0.0.1"])
    httpx.get(site.url, headers={"X-Forwarded-For": "192.0.2.1"})
    assert site.requests[0].client == "192.0.2.1"


def test_a_status(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    fault = site.inject("/a.*", status=503, fields={"Retry-After": "7"}, times=2)
    responses = [httpx.get(site.url + "a.txt"), httpx.head(site.url + "a.txt"), httpx.get(site.url + "a.txt")]
    assert [response.status_code for response in responses] == [503, 503, 200]
    assert responses[0].text == "injected: 503\n"
    assert responses[0].headers["Retry-After"] == "7"
    assert responses[1].headers["Content-Length"] == "14"
    assert httpx.get(site.url).status_code == 200
    assert (fault.hits, fault.times) == (2, 0)


def test_a_status_with_content_and_fields(serve: pwb_async.SiteFactory) -> None:
    """As of an interface that clients parse; Content-Type is that of the fault alone."""
    site = serve(FILES)
    problem = '{"title": "over"}'
    site.inject("/a.txt", status=429, fields={"content-type": "application/problem+json"}, content=problem)
    site.inject("/b/*", status=302, fields={"Location": "/a.txt"}, content=b"")
    response = httpx.get(site.url + "a.txt")
    assert (response.json(), response.headers["content-type"]) == ({"title": "over"}, "application/problem+json")
    assert httpx.head(site.url + "a.txt").headers["content-length"] == str(len(problem))
    assert httpx.get(site.url + "b/x", follow_redirects=True).status_code == 429


@pytest.mark.parametrize(
    ("name", "value"),
    [("A b", "c"), ("", "c"), ("A", "b\r\nC: d"), ("A", "中"), ("Content-Length", "3"), ("connection", "x")],
)
def test_fields_that_cannot_be_sent_are_refused_at_once(serve: pwb_async.SiteFactory, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"field|describes the message"):
        serve(FILES).inject(status=500, fields={name: value})


def test_a_path_that_matches_nothing_is_refused(serve: pwb_async.SiteFactory) -> None:
    with pytest.raises(ValueError, match=r"paths begin with /: use '/a\.txt'"):
        serve(FILES).inject("a.txt", reset=True)


def test_content_of_a_dict_is_text_or_bytes(serve: pwb_async.SiteFactory) -> None:
    with pytest.raises(TypeError, match=r"'a\.json' is neither str nor bytes"):
        serve({"a.json": {"a": 1}})  # type: ignore[dict-item]


@pytest.mark.parametrize("status", [200, 204, 404, 418, 429, 502, 504, 599])
def test_any_status_of_a_whole_response(serve: pwb_async.SiteFactory, status: int) -> None:
    site = serve(FILES)
    site.inject(status=status)
    with httpx.Client() as client:
        assert [client.get(site.url).status_code for _ in range(2)] == [status] * 2


def test_a_delay(serve: pwb_async.SiteFactory) -> None:
    """Many clients at once, each on its own."""
    site = serve(FILES)
    fault = site.inject(delay=0.3)
    begin = time.monotonic()
    threads = [threading.Thread(target=fetch, args=(site.port,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert 0.3 <= time.monotonic() - begin < 3
    assert fault.hits == 20


def test_a_delay_that_a_client_or_the_test_does_not_wait_for(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    site.inject(delay=1000)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(site.url, timeout=0.1)
    site.faults.clear()
    assert httpx.get(site.url).status_code == 200


def test_a_delay_and_a_status(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    site.inject(delay=0.1, status=500)
    begin = time.monotonic()
    assert httpx.get(site.url).status_code == 500
    assert time.monotonic() - begin >= 0.1


def test_a_delay_before_a_password_is_checked(serve: pwb_async.SiteFactory, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("anna:$2y$05$abcdefghijklmnopqrstuuJ8CVcyNHzoOjPS9jIhkSxD7rcnFpvWe\n")
    site = serve(FILES, htpasswd=users)
    site.inject(delay=0.1)
    assert httpx.get(site.url, auth=("anna", "wrong")).status_code == 401


@pytest.mark.parametrize("target", ["a.txt", "b/c%20d.bin"])
@pytest.mark.parametrize("taken", [0, 3])
def test_truncated_content(serve: pwb_async.SiteFactory, target: str, taken: int) -> None:
    """A short file is sent from memory, a larger one from the disk."""
    site = serve(FILES)
    site.inject(truncate=taken, times=1)
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=TIMEOUT)
    connection.request("GET", "/" + target)
    response = connection.getresponse()
    assert response.status == 200
    with pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    assert len(caught.value.partial) == taken
    connection.close()
    assert httpx.get(site.url + target).status_code == 200


def test_content_that_is_shorter_than_its_limit_is_whole(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    site.inject(truncate=100)
    assert httpx.get(site.url + "a.txt").content == b"text"


@pytest.mark.parametrize("target", ["/a.txt", "/b/c%20d.bin"])
async def test_a_reset(serve: pwb_async.SiteFactory, target: str) -> None:
    site = serve(FILES)
    site.inject(reset=True, times=1)
    site.inject(reset=True, truncate=2)
    async with Peer(("127.0.0.1", site.port)) as peer:
        await peer.send(get(target))
        with pytest.raises(ConnectionResetError):
            await peer.read_response()
    async with Peer(("127.0.0.1", site.port)) as peer:
        await peer.send(get(target))
        with pytest.raises(ConnectionResetError):
            await peer.read_response()


async def test_pipelined_requests_get_each_its_fault(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    site.inject("/a.txt", status=500, times=1)
    site.inject("/a.txt", delay=0.1, times=1)
    site.inject("/index.html", truncate=3)
    async with Peer(("127.0.0.1", site.port)) as peer:
        await peer.send(get("/a.txt") + get("/a.txt") + get("/a.txt") + get("/index.html") + get("/a.txt"))
        assert [(await peer.read_response()).status for _ in range(3)] == [500, 200, 200]
        assert (await peer.read_to_end()).endswith(b"\r\n\r\n<h1")
    assert [request.path for request in site.requests] == ["/a.txt"] * 3 + ["/index.html"]


async def test_an_invalid_request_gets_no_fault(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    fault = site.inject(reset=True)
    async with Peer(("127.0.0.1", site.port)) as peer:
        await peer.send(b"nonsense\r\n\r\n")
        assert (await peer.read_response()).status == 400
    assert (fault.hits, site.requests) == (0, [])


def test_the_first_of_several_faults_counts(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES)
    site.inject("/a.txt", status=500, times=1)
    site.inject("*", status=404)
    assert [httpx.get(site.url + "a.txt").status_code for _ in range(2)] == [500, 404]
    site.faults.clear()
    assert httpx.get(site.url + "a.txt").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 100},
        {"status": 600},
        {"delay": -1},
        {"truncate": -1},
        {"times": -1},
        {"fields": {"A": "b"}},
        {"content": "a"},
    ],
)
def test_a_fault_that_cannot_be_is_refused(serve: pwb_async.SiteFactory, fault: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        serve(FILES).inject(**fault)  # type: ignore[arg-type]


def test_faults_with_tls(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES, tls_self_signed=True)
    assert site.url.startswith("https://")
    site.inject(status=500, times=1)
    site.inject(reset=True, times=1)
    site.inject(truncate=3, times=1)
    with httpx.Client(verify=trusting_context()) as client:
        assert client.get(site.url).status_code == 500
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.get(site.url)
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.get(site.url)
        assert client.get(site.url).status_code == 200


def test_http2_is_recorded_without_faults(serve: pwb_async.SiteFactory) -> None:
    site = serve(FILES, tls_self_signed=True, http2=True)
    with pytest.raises(RuntimeError, match="are those of HTTP"):
        site.inject(status=500)
    with httpx.Client(verify=trusting_context(), http2=True) as client:
        assert client.get(site.url).http_version == "HTTP/2"
    assert [request.version for request in site.requests] == ["2.0"]


TESTS = """
def test_it(pwb_site):
    site = pwb_site({"a.txt": "text"})
    import urllib.request
    with urllib.request.urlopen(site.url + "a.txt") as response:
        assert response.read() == b"text"
    assert site.requests[0].path == "/a.txt"
    import threading
    global threads
    threads = [thread for thread in threading.enumerate() if thread.name == "pwb-server"]
    assert len(threads) == 1

def test_it_has_ended():
    assert not threads[0].is_alive()
"""
UNUSED = """
import sys

def test_nothing_is_imported():
    assert "pwb_async.embedding.pytest_plugin" in sys.modules
    loaded = {name for name in sys.modules if name.startswith("pwb_async")}
    assert loaded == {
        "pwb_async", "pwb_async.version", "pwb_async.embedding", "pwb_async.embedding.pytest_plugin"
    }
    assert not {"uvloop", "click"} & set(sys.modules)
"""


def run_pytest(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    """Run tests in a pytest that has this plugin alone."""
    (folder / "test_it.py").write_text(tests)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "pwb_async.embedding.pytest_plugin", "-W", "error", "."]
    return subprocess.run(
        [*words, "-p", "no:cacheprovider"],
        capture_output=True, text=True, cwd=folder, timeout=60, check=False,
        env={**environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip


def test_the_fixture_of_pytest(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, TESTS)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_costs_nothing_where_it_is_not_used(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, UNUSED)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_an_installation_has_the_plugin() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"pwb": "pwb_async.embedding.pytest_plugin"}


def test_without_files_the_site_is_empty(serve: pwb_async.SiteFactory) -> None:
    assert not list(serve().root.iterdir())


def test_a_fault_that_changes_nothing_is_refused(serve: pwb_async.SiteFactory) -> None:
    with pytest.raises(ValueError, match="changes nothing"):
        serve().inject("/a.txt")
