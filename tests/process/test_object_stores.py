"""Sites in object stores, as real servers before a real store, with a proxy between them that fails.

The hazards are D15, E12, E13 and G5."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pwb_async import ConfigError
from pwb_async.asgi import StaticSite
from pwb_async.wsgi import StaticSite as WSGIStaticSite
from tests.asgi.driver import ask as ask_application
from tests.conformance.coded import br
from tests.conformance.designs import REFERENCE
from tests.conformance.peer import Peer, send_request
from tests.conformance.server import Server, environment, eventually, running
from tests.conformance.tree import random_bytes
from tests.conformance.wire import Response, get
from tests.storage.object_store.stores import KEY, SECRET, FaultyProxy, rclone, settings
from tests.storage.object_store.synthetic import synthetic

from .admin import Admin

MTIME = 1_600_000_000
BIG = random_bytes(5_000_000)
SCRIPT = b"".join(b"line %d\n" % n for n in range(500))
FILES = {
    "index.html": b"<p>home",
    "a.txt": b"some text\n",
    "b.txt": b"other text\n",
    "d/index.html": b"<p>d",
    "d/x.txt": b"x",
    "app.js": SCRIPT,
    "app.js.br": br(SCRIPT),
    "plain.js": SCRIPT,
    "big.bin": BIG,
    "empty.txt": b"",
    "404.html": b"<p>lost",
    "_headers": b"/a.txt\n  X-Rule: 1\n",
    "many/x.txt": b"x",
}
URL = "s3://bucket/site"
FAILS = "object store|cannot be served|503|500|cannot be read|cut short"
"""What standard error may hold while the store fails."""


def write(bucket: Path, name: str, content: bytes, mtime: float = MTIME) -> None:
    path = bucket / "site" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_bytes(content)
    os.utime(new, (mtime, mtime))
    os.replace(new, path)


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        write(tmp_path / "store/bucket", name, content)
    return tmp_path / "store/bucket"


@pytest.fixture
def proxy(bucket: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    with rclone(bucket.parent) as port, FaultyProxy(port).running() as proxy:
        for name, value in settings(proxy.port).items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture
def run(proxy: FaultyProxy, tmp_path: Path) -> Any:
    def begin(*options: str, root: str = URL, **more: Any) -> Any:
        return running(REFERENCE, root, *options, log_dir=tmp_path, **more)

    return begin


async def ask(server: Server, target: str, *fields: str) -> Response:
    return await send_request(server.address, get(target, *fields))


def secrets_in(server: Server) -> bool:
    text = server.error_output() + server.log.read_text()
    return SECRET in text or KEY in text


async def test_a_site_in_a_store(run: Any, proxy: FaultyProxy) -> None:
    async with run("--browse") as server:
        for name, content in FILES.items():
            if not name.startswith("_"):
                response = await ask(server, f"/{name}")
                assert (response.status, response.content) == (200, content), name
                assert response["Last-Modified"] == "Sun, 13 Sep 2020 12:26:40 GMT"
        assert (await ask(server, "/a.txt"))["X-Rule"] == "1"
        assert (await ask(server, "/")).content == b"<p>home"
        assert (await ask(server, "/d"))["Location"] == "/d/"
        assert (await ask(server, "/d/")).content == b"<p>d"
        assert ((await ask(server, "/none")).status, (await ask(server, "/none")).content) == (404, b"<p>lost")
        assert (await ask(server, "/%FF")).status == 404
        response = await ask(server, "/big.bin", "Range: bytes=1048570-3145730")
        assert (response.status, response.content) == (206, BIG[1048570:3145731])
        tag = response["ETag"]
        assert tag
        assert (await ask(server, "/big.bin", f"If-None-Match: {tag}")).status == 304
        response = await ask(server, "/app.js", "Accept-Encoding: br")
        assert (response.content, response["Content-Encoding"]) == (FILES["app.js.br"], "br")
        assert (await ask(server, "/plain.js", "Accept-Encoding: gzip"))["Content-Encoding"] == "gzip"
        assert b'"x.txt"' in (await ask(server, "/many/", "Accept: application/json")).content
        assert not secrets_in(server)


async def test_one_request_to_the_store_for_many_clients(run: Any, proxy: FaultyProxy) -> None:
    async with run() as server:
        proxy.fault = lambda method, target: "0.3"
        responses = await asyncio.gather(*(ask(server, "/b.txt") for _ in range(50)))
        assert {each.content for each in responses} == {FILES["b.txt"]}
        assert proxy.asked("b.txt") == 1
        responses = await asyncio.gather(*(ask(server, "/big.bin") for _ in range(8)))
        assert {each.content for each in responses} == {BIG}
        assert proxy.asked("big.bin") == 5, "each slice once"


async def test_what_is_known_is_asked_again_by_its_tag(run: Any, proxy: FaultyProxy, bucket: Path) -> None:
    async with run("--store-ttl", "300ms", "--cache-ttl", "50ms") as server:
        assert (await ask(server, "/b.txt")).content == FILES["b.txt"]
        async with asyncio.timeout(10):
            while proxy.asked("b.txt") < 3:
                assert (await ask(server, "/b.txt")).content == FILES["b.txt"]
        write(bucket, "b.txt", b"new", MTIME + 100)
        async with asyncio.timeout(10):
            while (await ask(server, "/b.txt")).content != b"new":
                pass
        (bucket / "site/b.txt").unlink()
        async with asyncio.timeout(10):
            while (await ask(server, "/b.txt")).status != 404:
                pass


async def test_rules_in_a_bucket_that_change(run: Any, proxy: FaultyProxy, bucket: Path) -> None:
    """A rule costs no request, at the start or when it is read again."""
    rules = "".join(f"/old-{n} /a.txt 301\n/page-{n} /none-{n}.html 200\n" for n in range(100))
    write(bucket, "_redirects", rules.encode())
    began = time.monotonic()
    async with run("--store-ttl", "300ms", "--cache-ttl", "200ms", allowed_errors="rules read again") as server:
        assert time.monotonic() - began < 5
        assert (await ask(server, "/old-99"))["Location"] == "/a.txt"
        write(bucket, "_redirects", rules.replace("/a.txt", "/b.txt").encode(), MTIME + 100)
        async with asyncio.timeout(10):
            while (await ask(server, "/old-99"))["Location"] != "/b.txt":
                await asyncio.sleep(0.05)
        assert proxy.asked("none-") == 0


async def test_what_is_fresh_is_not_asked_for(run: Any, proxy: FaultyProxy) -> None:
    async with run("--store-ttl", "1h", "--cache", "off") as server:
        for _ in range(20):
            assert (await ask(server, "/a.txt")).status == 200
            assert (await ask(server, "/none")).status == 404
        assert (proxy.asked("/a.txt"), proxy.asked("/none"), proxy.asked("=site%2Fnone")) == (1, 1, 1)


async def test_a_store_that_stops(run: Any, proxy: FaultyProxy) -> None:
    await stop_the_store(run, proxy, 6)


async def test_a_store_that_stops_for_a_minute(run: Any, proxy: FaultyProxy) -> None:
    await stop_the_store(run, proxy, 60)


async def stop_the_store(run: Any, proxy: FaultyProxy, seconds: float) -> None:
    """The bar: what is known goes on, all else gets 503 in time, and nothing is left when it is over."""
    options = ("--store-ttl", "500ms", "--cache-ttl", "200ms", "--disk-timeout", "2s", "--no-site-rules")
    async with run(*options, allowed_errors=FAILS) as server:
        for target in ("/a.txt", "/b.txt", "/big.bin", "/d/", "/none"):
            await ask(server, target)
        await asyncio.gather(*(ask(server, f"/warm-{n}") for n in range(100)))  # each thread has been started
        before = server.resources()
        proxy.fault = lambda method, target: "stall"
        end, unknown = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            began = time.monotonic()
            known = await asyncio.gather(*(ask(server, target) for target in ("/a.txt", "/b.txt", "/big.bin", "/d/")))
            assert [each.status for each in known] == [200] * 4
            assert time.monotonic() - began < 1.9, "it is served before the timeout"
            assert (await ask(server, "/none")).status == 404
            began = time.monotonic()
            others = await asyncio.gather(*(ask(server, f"/unknown-{unknown + n}") for n in range(40)))
            unknown += 40
            assert {each.status for each in others} == {503}
            assert time.monotonic() - began < 4
        proxy.fault = lambda method, target: ""
        began = time.monotonic()
        while (await ask(server, "/app.js")).status != 200:
            pass
        assert time.monotonic() - began < 2
        await eventually(
            lambda: (
                server.resources().descriptors <= before.descriptors and server.resources().threads <= before.threads
            ),
            15,
            lambda: f"{before} {server.resources()}",
        )
        assert not secrets_in(server)


async def test_the_metrics_tell_how_the_store_is(run: Any, proxy: FaultyProxy, tmp_path: Path) -> None:
    admin, requests = Admin(tmp_path), 'pwb_store_requests_total{result="%s"}'
    options = ("--store-ttl", "100ms", "--cache-ttl", "50ms", "--disk-timeout", "1s", "--no-site-rules")
    kept = ("--store-cache", str(tmp_path / "kept"))
    async with run(*admin.options, *options, *kept, allowed_errors=FAILS) as server:
        for _ in range(2):  # the second time reads it in a thread, which writes it to the disk
            assert (await ask(server, "/big.bin")).content == BIG
        metrics = await admin.wait_for(lambda seen: seen[requests % "success"] >= 5)
        assert metrics['pwb_store_cache_bytes{place="memory"}'] > len(BIG)
        assert metrics['pwb_store_cache_bytes{place="disk"}'] > 0
        assert metrics["pwb_store_duration_seconds_total"] > 0
        assert metrics[requests % "failure"] == metrics[requests % "no_answer"] == metrics["pwb_store_stale_total"] == 0
        proxy.fault = lambda method, target: "500"
        assert (await ask(server, "/unknown")).status == 503
        await admin.wait_for(lambda seen: seen[requests % "failure"] > 0)
        proxy.fault = lambda method, target: "stall"
        assert (await ask(server, "/unknown")).status == 503
        await admin.wait_for(lambda seen: seen[requests % "no_answer"] > 0)
        async with asyncio.timeout(10):
            while not (await admin.metrics())["pwb_store_stale_total"]:
                assert (await ask(server, "/big.bin", "Range: bytes=0-9")).status == 206
        assert "does not answer" in server.error_output()


async def test_a_bucket_with_a_million_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with synthetic() as port:
        for name, value in settings(port).items():
            monkeypatch.setenv(name, value)
        began = time.monotonic()
        async with running(REFERENCE, URL, "--browse", log_dir=tmp_path) as server:
            assert time.monotonic() - began < 2
            before = server.memory()
            for number in range(0, 1_000_000, 10_000):
                name = f"site/all/{number:07d}.txt"
                assert (await ask(server, f"/all/{number:07d}.txt")).content == f"the content of {name}\n".encode()
            response = await ask(server, "/all/", "Accept: application/json")
            assert response.status == 200
            assert json.loads(response.content)["truncated"]
            assert (await ask(server, "/all/9999999.txt")).status == 404
            assert server.memory() - before < 150_000_000


async def test_a_name_is_too_old_to_serve(run: Any, proxy: FaultyProxy) -> None:
    options = ("--store-ttl", "100ms", "--cache-ttl", "50ms", "--stale-if-error", "0", "--no-site-rules")
    async with run(*options, allowed_errors=FAILS) as server:
        assert (await ask(server, "/a.txt")).status == 200
        proxy.fault = lambda method, target: "503"
        async with asyncio.timeout(10):
            while (await ask(server, "/a.txt")).status != 503:
                pass
        proxy.fault = lambda method, target: ""
        async with asyncio.timeout(10):
            while (await ask(server, "/a.txt")).status != 200:
                pass


@pytest.mark.parametrize("fault", ["reset", "truncate"])
async def test_a_connection_that_breaks_once_is_not_seen(run: Any, proxy: FaultyProxy, fault: str) -> None:
    async with run() as server:
        faults = iter([fault])
        proxy.fault = lambda method, target: next(faults, "")
        assert (await ask(server, "/big.bin")).content == BIG


async def test_an_object_that_is_replaced_while_it_is_sent_ends_visibly(
    run: Any, proxy: FaultyProxy, bucket: Path
) -> None:
    async with run(allowed_errors="big.bin") as server:
        # All but the first slice come late, as rclone may send a mixture while an object is replaced.
        proxy.fault = lambda method, target: "0.5" if proxy.asked("big.bin") > 1 else ""
        async with Peer(server.address, receive_buffer=4096) as peer:
            await peer.send(get("/big.bin", "Connection: close"))
            begun = await peer.read_content_start()
            write(bucket, "big.bin", bytes(5_000_000), MTIME + 100)
            content = begun + await peer.read_to_end_or_reset()
        assert len(content) < len(BIG)
        assert content == BIG[: len(content)]
        assert (await ask(server, "/big.bin")).content == bytes(5_000_000)


async def test_content_is_kept_on_disk(run: Any, proxy: FaultyProxy, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for attempt in range(2):
        async with run("--store-cache", str(kept), "--no-site-rules") as server:
            asked = proxy.asked("big.bin")
            assert (await ask(server, "/big.bin")).content == BIG
            assert proxy.asked("big.bin") - asked == (5 if attempt == 0 else 1)
        assert len(list(kept.rglob("*-*"))) >= 5


async def test_what_is_kept_on_disk_is_bounded(run: Any, bucket: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "not-ours").write_bytes(b"x")
    for n in range(30):
        write(bucket, f"many/{n}.bin", random_bytes(200_000 + n))
    async with run("--store-cache", str(kept), "--store-cache-size", "2M", "--cache", "off") as server:
        for n in range(30):
            assert (await ask(server, f"/many/{n}.bin")).content == random_bytes(200_000 + n)
        assert sum(path.stat().st_size for path in kept.rglob("*-*")) < 2_300_000
        assert (kept / "not-ours").exists()


async def test_several_workers(run: Any, proxy: FaultyProxy) -> None:
    async with run("--workers", "2") as server:
        responses = await asyncio.gather(*(ask(server, "/big.bin") for _ in range(10)))
        assert {each.content for each in responses} == {BIG}
        server.signal(1)  # SIGHUP
        await eventually(lambda: len(server.process_ids()) >= 3, 10)
        assert (await ask(server, "/a.txt"))["X-Rule"] == "1"


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_a_reload_waits_two_seconds_for_a_store_that_fails(
    run: Any, proxy: FaultyProxy, options: tuple[str, ...]
) -> None:
    """The reload goes on with the rules that were read before, and a supervisor can be stopped meanwhile."""
    expected = f"{FAILS}|reloaded"
    async with run("--store-ttl", "100ms", *options, allowed_errors=expected) as server:
        assert (await ask(server, "/a.txt"))["X-Rule"] == "1"
        proxy.fault = lambda method, target: "stall"
        began = time.monotonic()
        server.signal(signal.SIGHUP)
        await eventually(lambda: "reloaded" in server.error_output(), 8)
        assert time.monotonic() - began < 6
        if not options:
            response = await ask(server, "/a.txt")
            assert (response.content, response["X-Rule"]) == (FILES["a.txt"], "1"), (
                "what was kept before the reload is served"
            )


def first_line(*arguments: str, folder: Path, program: str = "pwb_async") -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments, "--port", "0"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=40,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("root", "options", "words"),
    [
        ("s3://nothing/site", (), "cannot serve s3://nothing/site: the object store has no such bucket"),
        ("s3://", (), "it names no bucket"),
        (f"s3://{KEY}:{SECRET}@bucket/x", (), "cannot serve s3://bucket/x: credentials and settings belong"),
        (URL, ("--sandbox",), "--sandbox forbids connections"),
        (URL, ("--browse", "--zip-downloads"), "only directories can be downloaded"),
        ("s3://bucket//site", (), "cannot serve s3://bucket//site: its prefix has an empty name, or . or .."),
        ("s3://bucket/../site/", (), "its prefix has an empty name, or . or .."),
        (URL, ("--store-cache", "/proc/none"), "cannot serve s3://bucket/site: --store-cache /proc/none: "),
    ],
)
def test_what_cannot_be_served_is_one_line(
    proxy: FaultyProxy, tmp_path: Path, root: str, options: tuple[str, ...], words: str
) -> None:
    status, errors = first_line(root, *options, folder=tmp_path)
    assert status in (1, 2)
    assert len(errors.splitlines()) == 1, errors
    assert words in errors
    assert SECRET not in errors


def test_a_store_that_does_not_answer_is_one_line(proxy: FaultyProxy, tmp_path: Path) -> None:
    proxy.fault = lambda method, target: "stall"
    status, errors = first_line(URL, "--disk-timeout", "1s", folder=tmp_path)
    assert (status, len(errors.splitlines())) == (1, 1), errors
    assert "does not answer" in errors


def test_wrong_credentials_are_one_line(proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET + "x")
    status, errors = first_line(URL, folder=tmp_path)
    assert (status, len(errors.splitlines())) == (1, 1), errors
    assert "refuses the credentials" in errors
    assert SECRET not in errors


def test_no_credentials_are_one_line(proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    status, errors = first_line(URL, "--disk-timeout", "2s", folder=tmp_path)
    assert (status, len(errors.splitlines())) == (1, 1), errors
    assert "AWS_ACCESS_KEY_ID is not set" in errors


def test_settings_that_are_not_whole_are_one_line(
    proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    _, errors = first_line(URL, "--disk-timeout", "2s", folder=tmp_path)
    assert re.fullmatch(r"pwb: cannot serve .*; AWS_SECRET_ACCESS_KEY is not set\n", errors)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"))
    _, errors = first_line(URL, "--disk-timeout", "2s", folder=tmp_path)
    assert re.fullmatch(r"pwb: cannot serve .*; AWS_ENDPOINT_URL does not begin with https:// or http://\n", errors)


async def test_a_prefix_without_objects_has_a_warning(run: Any) -> None:
    warning = "pwb: s3://bucket/sight: there is no object with this prefix\n"
    async with run(root="s3://bucket/sight", allowed_errors="no object") as server:
        assert (await ask(server, "/b.txt")).status == 404
        assert server.error_output() == warning


def test_the_designs_serve_no_store(proxy: FaultyProxy, tmp_path: Path) -> None:
    status, errors = first_line("--mode", "thread", URL, folder=tmp_path, program="pwb_legacy")
    assert (status, len(errors.splitlines())) == (1, 1), errors
    assert "served by pwb" in errors


async def test_in_asgi(proxy: FaultyProxy) -> None:
    async with StaticSite(URL, store_ttl="1h") as site:
        for _ in range(2):
            assert (await ask_application(site, "/b.txt")).content == FILES["b.txt"]
            assert (await ask_application(site, "/big.bin")).content == BIG
        assert proxy.asked("/b.txt") == 1


def test_wsgi_serves_no_store(proxy: FaultyProxy) -> None:
    with pytest.raises(ConfigError, match="ASGI"):
        WSGIStaticSite(URL)


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path) -> None:
    program = "import sys; sys.modules['obstore'] = None; from pwb_async.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, URL, "--port", "0"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (
        done.stderr == f"pwb: cannot serve {URL}: obstore is not installed: pip install '.[s3]' in a checkout of PWB\n"
    )
    assert done.returncode == 1
