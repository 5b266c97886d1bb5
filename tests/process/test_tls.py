"""Certificates of a running server: which one a client gets, and what a reload does to them (hazard F1)."""

import asyncio
import os
import re
import signal
import ssl
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import bcrypt
import pytest
from cryptography.hazmat.primitives import hashes

from tests.conformance.server import Server, Start
from tests.tls.certificates import DAY, make
from tests.tls.client import connect, fetch, request
from tests.tls.handshake import client_context

from .helpers import TEXT, wait_for_message

process_models = pytest.mark.parametrize(
    "process_options", [(), ("--workers", "2"), ("--sandbox",)], ids=["alone", "two", "confined"]
)
MESSAGES = "^pwb: (reloaded|new certificates: )"


def pair(folder: Path, *names: str) -> tuple[str, ...]:
    """The options for a new certificate, whose files have the names of the one before."""
    certificate, key = make(*names).write(folder)
    return ("--tls-cert", str(certificate), "--tls-key", str(key))


def names(server: Server, *arguments: str) -> list[str]:
    """The names in the certificate that a client gets now."""
    return fetch(server.address, *arguments).names


async def wait_for_names(server: Server, *expected: str) -> None:
    async with asyncio.timeout(20):
        while await asyncio.to_thread(names, server) != list(expected):
            pass


@process_models
async def test_files_that_change_are_used(process_options: tuple[str, ...], run: Start, tmp_path: Path) -> None:
    options = pair(tmp_path, "first.test")
    async with run(*process_options, *options, allowed_errors=MESSAGES) as server:
        assert server.scheme == "https"
        with await asyncio.to_thread(connect, server.address) as kept:
            pair(tmp_path, "second.test")
            await wait_for_names(server, "second.test")
            if not process_options:
                kept.sendall(request())
                assert TEXT in await asyncio.to_thread(kept.recv, 65536)
        assert server.error_output().count("new certificates: ") == 1


@process_models
async def test_sighup_uses_new_files(process_options: tuple[str, ...], run: Start, tmp_path: Path) -> None:
    options = (*pair(tmp_path, "first.test"), "--no-tls-reload")
    async with run(*process_options, *options, allowed_errors=MESSAGES) as server:
        with await asyncio.to_thread(connect, server.address) as kept:
            kept.sendall(request())
            assert TEXT in await asyncio.to_thread(kept.recv, 65536)
            pair(tmp_path, "second.test")
            server.signal(signal.SIGHUP)
            await wait_for_message(server, "reloaded")
            await wait_for_names(server, "second.test")
            kept.sendall(request())  # an old worker serves one more request of an idle connection
            assert TEXT in await asyncio.to_thread(kept.recv, 65536)


@process_models
@pytest.mark.parametrize("by", ["change", "signal"])
async def test_files_that_cannot_be_used_leave_all_as_it_was(
    by: str, process_options: tuple[str, ...], run: Start, tmp_path: Path
) -> None:
    options = pair(tmp_path, "first.test")
    async with run(*process_options, *options, allowed_errors="site.pem") as server:
        other = make("second.test")
        (tmp_path / "site.pem").write_bytes(other.certificate_pem)
        if by == "signal":
            server.signal(signal.SIGHUP)
        line = "the certificates stay as they were" if by == "change" else "nothing is reloaded"
        await wait_for_message(server, f"{line}: {tmp_path}/site.pem: the key in ")
        assert await asyncio.to_thread(names, server) == ["first.test"]


FAULT = """
import os, runpy, sys
from pwb_async.workers import renewal

def fork():
    if os.path.exists("no processes"):
        raise BlockingIOError(11, "no processes")
    return original()

original, os.fork = os.fork, fork
assert renewal._RETRY
renewal._RETRY = 1.5
del sys.argv[:3]
runpy.run_module("pwb_async", run_name="__main__", alter_sys=True)
"""


async def test_workers_that_could_not_be_replaced_are_replaced_later(run: Start, tmp_path: Path) -> None:
    """Otherwise they would serve the old certificate until it has expired."""
    options, wrapper = pair(tmp_path, "first.test"), (sys.executable, "-c", FAULT)
    allowed = f"{MESSAGES}|cannot start a worker|nothing is reloaded"
    async with run("--workers", "2", *options, allowed_errors=allowed, wrapper=wrapper) as server:
        (tmp_path / "no processes").touch()
        pair(tmp_path, "second.test")
        await wait_for_message(server, "nothing is reloaded: there are no processes for new workers")
        assert await asyncio.to_thread(names, server) == ["first.test"]
        (tmp_path / "no processes").unlink()
        await wait_for_names(server, "second.test")
        assert server.error_output().count("new certificates: ") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_workers_that_may_not_read_the_key(run: Start, tmp_path: Path) -> None:
    """The supervisor reads it for them, again and again."""
    options = pair(tmp_path, "first.test")
    with TemporaryDirectory() as root:  # pytest's own is for its user alone
        Path(root).chmod(0o755)
        async with run(*options, "--user", "nobody", root=root, allowed_errors=MESSAGES) as server:
            assert await asyncio.to_thread(names, server) == ["first.test"]
            pair(tmp_path, "second.test")
            await wait_for_names(server, "second.test")
            pair(tmp_path, "third.test")
            server.signal(signal.SIGHUP)
            await wait_for_names(server, "third.test")


async def test_tls_is_not_switched_on_or_off_by_a_reload(run: Start, tmp_path: Path) -> None:
    certificate, key = make("a.test").write(tmp_path)
    (tmp_path / "pwb.toml").write_text(f"tls-cert = ['{certificate}']\ntls-key = ['{key}']\n")
    async with run(allowed_errors="reloaded") as server:
        (tmp_path / "pwb.toml").write_text("max-age = 7\n")
        server.signal(signal.SIGHUP)
        await wait_for_message(server, "nothing is reloaded: TLS can be switched on or off by a restart only")
        response = (await asyncio.to_thread(fetch, server.address)).response
        assert b"max-age=7" not in response
        assert response.endswith(TEXT)


async def test_the_name_chooses_the_certificate(run: Start, tmp_path: Path) -> None:
    options = []
    for name in ("a.test", "*.b.test"):
        certificate, key = make(name).write(tmp_path, name)
        options += ["--tls-cert", str(certificate), "--tls-key", str(key)]
    async with run(*options) as server:
        asked = ("a.test", "x.b.test", "other.test", "192.0.2.1")
        got = [(await asyncio.to_thread(names, server, each))[0] for each in asked]
        assert got == ["a.test", "*.b.test", "a.test", "a.test"]


async def test_workers_resume_each_others_sessions(run: Start, tmp_path: Path) -> None:
    async with run("--workers", "2", *pair(tmp_path, "a.test")) as server:
        context = client_context()
        session = (await asyncio.to_thread(fetch, server.address, "a.test", context)).session
        for _ in range(10):
            found = await asyncio.to_thread(fetch, server.address, "a.test", context, session)
            assert found.resumed
            session = found.session


async def test_clients_need_a_certificate_of_the_authority(run: Start, tmp_path: Path) -> None:
    authority, other = make("authority", authority=True), make("other", authority=True)
    path, _ = authority.write(tmp_path, "authority")
    async with run(*pair(tmp_path, "a.test"), "--tls-client-ca", str(path)) as server:
        with pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"):
            await asyncio.to_thread(fetch, server.address)
        for issuer in (other, authority):
            context = client_context()
            context.load_cert_chain(*make("client", issuer=issuer, client=True).write(tmp_path, "client"))
            if issuer is other:
                with pytest.raises(ssl.SSLError, match=r"(?i)unknown.ca"):
                    await asyncio.to_thread(fetch, server.address, None, context)
        found = await asyncio.to_thread(fetch, server.address, None, context)
        assert found.response.endswith(TEXT)
        again = await asyncio.to_thread(fetch, server.address, None, context, found.session)
        assert again.resumed
        assert again.response.endswith(TEXT)


async def test_self_signed(run: Start) -> None:
    async with run("--tls-self-signed", "--tls-name", "my.test", allowed_errors="self-signed|reloaded") as server:
        line = re.search(
            "^pwb: self-signed certificate for localhost, 127.0.0.1, my.test; SHA-256 fingerprint (.+)$",
            server.error_output(),
            re.MULTILINE,
        )
        assert line is not None
        server.signal(signal.SIGHUP)
        await wait_for_message(server, "reloaded")
        assert server.error_output().count("self-signed certificate") == 1
        found = await asyncio.to_thread(fetch, server.address)  # the same one
        assert found.certificate.fingerprint(hashes.SHA256()) == bytes.fromhex(line[1].replace(":", ""))


@process_models
async def test_a_warning_before_a_certificate_ends(
    process_options: tuple[str, ...], run: Start, tmp_path: Path
) -> None:
    certificate, key = make("a.test", begin=-80 * DAY, end=19 * DAY).write(tmp_path)
    options = ("--tls-cert", str(certificate), "--tls-key", str(key), "--no-tls-reload")
    async with run(*process_options, *options, allowed_errors="it ends on") as server:
        await wait_for_message(server, f"pwb: {certificate}: it ends on 20")


async def test_passwords_over_tls_are_no_warning(run: Start, tmp_path: Path) -> None:
    (tmp_path / "users").write_bytes(b"a:" + bcrypt.hashpw(b"secret", bcrypt.gensalt(4)) + b"\n")
    options = (*pair(tmp_path, "a.test"), "--host", "0.0.0.0", "--htpasswd", str(tmp_path / "users"))
    async with run(*options) as server:
        assert b" 401 " in (await asyncio.to_thread(fetch, ("127.0.0.1", server.address[1]))).response
