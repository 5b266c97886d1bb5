"""Chromium and curl trust the certificates of --tls-local as docs/https.md says, and only for local names."""

import asyncio
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pwb_async.tls import local_authority
from tests.conformance.designs import REFERENCE
from tests.conformance.server import running
from tests.docs.examples import ROOT

from .browser import CHROMIUM, DRIVER, chromium
from .programs import needs, run

LINE = "certificate of the local authority for"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "index.html").write_text("<!DOCTYPE html><title>local</title>")
    return tmp_path / "home"


@needs("curl")
async def test_curl(home: Path, tmp_path: Path) -> None:
    async with running(REFERENCE, tmp_path / "root", "--tls-local", log_dir=tmp_path, allowed_errors=LINE) as server:
        for host in ("127.0.0.1", "localhost"):
            words = ("--silent", "--noproxy", "*", "--cacert", local_authority.certificate_path())
            done = await run("curl", *words, f"https://{host}:{server.address[1]}/")
            assert b"<title>local</title>" in done.output, done.errors


def trust(home: Path) -> None:
    """Makes the browser of the user trust the authority, by the command of the page."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    subprocess.run(["certutil", "-d", f"sql:{database}", "-N", "--empty-password"], check=True, timeout=30)
    found = re.search(r"`(certutil -d sql:.*?)`", (ROOT / "docs" / "https.md").read_text())
    assert found
    words = shlex.split(found[1].replace("$HOME", str(home)).replace("~", str(home)))
    subprocess.run(words, check=True, timeout=30)


def title_at(browser: Any, port: int) -> str:
    """The title of the page at localhost, or of the warning in its place."""
    browser.get(f"https://localhost:{port}/")
    return str(browser.title)


@needs("certutil")
@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver are not installed")
async def test_chromium(home: Path, tmp_path: Path) -> None:
    pytest.importorskip("selenium", reason="selenium is not installed")
    async with running(REFERENCE, tmp_path / "root", "--tls-local", log_dir=tmp_path, allowed_errors=LINE) as server:
        trust(home)
        (tmp_path / "profile").mkdir()

        def titles() -> list[str]:
            with chromium(tmp_path / "profile", home) as browser:
                trusted = title_at(browser, server.address[1])
            with chromium(tmp_path / "profile", tmp_path / "elsewhere") as browser:
                return [trusted, title_at(browser, server.address[1])]

        assert await asyncio.to_thread(titles) == ["local", "Privacy error"]
