"""Listings and archives of directories on every design: what is left out, pages, README.md, templates, the sandbox."""

import io
import json
import os
import re
import socket
import stat
import subprocess
import time
import zipfile
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from .designs import Design
from .peer import send_request
from .server import Server, Start, command, environment
from .test_rules import build
from .tree import CANARY
from .wire import get


async def listed(server: Server, target: str = "/", *fields: str) -> Any:
    response = await send_request(server.address, get(target, "Accept: application/json", *fields))
    assert (response.status, response["Content-Type"]) == (200, "application/json")
    return json.loads(response.content)


async def names(server: Server, target: str = "/") -> list[str]:
    return [entry["name"] for entry in (await listed(server, target))["entries"]]


async def page_of(server: Server, target: str = "/") -> str:
    response = await send_request(server.address, get(target))
    assert response.status == 200
    return response.content.decode()


async def archive_of(server: Server, target: str) -> zipfile.ZipFile:
    response = await send_request(server.address, get(target + "?download=zip"))
    assert (response.status, response["Content-Type"]) == (200, "application/zip")
    assert response["Content-Length"] == str(len(response.content))
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    return archive


@pytest.fixture
def odd_root(tmp_path: Path) -> Path:
    """A root with everything that is left out."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.txt").write_bytes(CANARY)
    root = build(tmp_path / "root", {"a.txt": b"a", "d/b.txt": b"bb", "d/.env": CANARY, ".well-known/x": b"x"})
    (root / "_headers").write_text("")
    (root / "d/_headers").write_text("# only those of the root are rules")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    for name, target in {
        "in": "a.txt",
        "in-d": "d",
        "d/up": "..",
        "out": "../outside/secret.txt",
        "out-d": "../outside",
        "out-absolute": str(root / "a.txt"),
        "dangling": "nowhere",
        "loop": "loop",
        "to-fifo": "fifo",
        "zero": "/dev/zero",
    }.items():
        (root / name).symlink_to(target)
    (root / os.fsdecode(b"latin-\xe9")).write_bytes(b"")
    return root


async def test_only_what_is_served_is_listed_c2_c5_c7(odd_root: Path, start: Start) -> None:
    async with start("--browse", "--zip-downloads", root=odd_root) as server:
        listing = await listed(server)
        assert [entry["name"] for entry in listing["entries"]] == ["d", "in-d", "a.txt", "in", "latin-\ufffd"]
        assert listing["entries"][-1]["href"] == "latin-%E9"
        assert listing["entries"][3]["size"] == 1
        for entry in listing["entries"]:
            target = "/" + entry.get("href", entry["name"]) + "/" * (entry["type"] == "directory")
            assert (await send_request(server.address, get(target))).status == 200, target
        assert await names(server, "/d/") == ["up", "_headers", "b.txt"]
        assert await names(server, "/in-d/") == ["up", "_headers", "b.txt"]
        assert await names(server, "/.well-known/") == ["x"]
        for target in ("/out-d/", "/dangling/", "/fifo/", "/in/", "/loop/", "/d/../../outside/"):
            assert (await send_request(server.address, get(target))).status in (400, 404), target
        archive = await archive_of(server, "/")
        latin = b"files/latin-\xe9".decode("cp437")  # as zipfile reads a name that is not UTF-8
        assert archive.namelist() == [
            "files/", "files/a.txt", "files/in", latin, "files/d/", "files/d/_headers", "files/d/b.txt",
        ]  # fmt: skip
        assert archive.read("files/d/b.txt") == b"bb"


async def test_hidden_names_on_request(odd_root: Path, start: Start) -> None:
    (odd_root / "d/.env").write_bytes(b"shown")
    options = ("--browse", "--dotfiles", "--zip-downloads")
    async with start(*options, root=odd_root, allowed_errors="names that begin with a dot") as server:
        assert ".well-known" in await names(server)
        assert ".env" in await names(server, "/d/")
        assert "_headers" not in await names(server)
        assert (await archive_of(server, "/d/")).read("d/.env") == b"shown"


async def test_nothing_is_listed_by_default(odd_root: Path, start: Start) -> None:
    async with start(root=odd_root) as server:
        for target in ("/", "/d/", "/?format=json", "/?download=zip"):
            assert (await send_request(server.address, get(target))).status == 404


async def test_a_directory_that_may_not_be_read(odd_root: Path, start: Start) -> None:
    (odd_root / "d").chmod(0o311)
    try:
        async with start("--browse", root=odd_root) as server:
            response = await send_request(server.address, get("/d/"))
            assert response.status == (200 if os.geteuid() == 0 else 403)
    finally:
        (odd_root / "d").chmod(0o755)


async def test_pages_of_a_thousand_entries(tmp_path: Path, start: Start) -> None:
    root = tmp_path / "root"
    for number in range(2):
        (root / f"d{number}").mkdir(parents=True)
    for number in range(2500):
        (root / f"f{number}").write_bytes(bytes(number % 7))
    everything = ["d0", "d1", *(f"f{number}" for number in range(2500))]
    async with start("--browse", root=root) as server:
        listings = [await listed(server, f"/?page={page}") for page in (1, 2, 3, 4)]
        assert [(listing["page"], listing["pages"]) for listing in listings] == [(1, 3), (2, 3), (3, 3), (3, 3)]
        shown = [entry["name"] for listing in listings[:3] for entry in listing["entries"]]
        assert shown == everything
        by_size = [await listed(server, f"/?sort=size&order=desc&page={page}") for page in (1, 2, 3)]
        sizes = [entry.get("size", 9) for listing in by_size for entry in listing["entries"]]
        assert sizes == sorted(sizes, reverse=True)
        assert len(sizes) == 2502
        page = await page_of(server, "/?page=2&sort=time")
        assert "2 directories, 2,500 files, page 2 of 3" in page
        assert set(re.findall(r'href="(\?sort=time&amp;order=asc(?:&amp;page=\d)?)"', page)) >= {
            "?sort=time&amp;order=asc", "?sort=time&amp;order=asc&amp;page=3",
        }  # fmt: skip


async def test_a_page_of_html(odd_root: Path, start: Start) -> None:
    (odd_root / "d/big.bin").write_bytes(bytes(1536))
    os.utime(odd_root / "d/big.bin", (1_600_000_000, 1_600_000_000))
    async with start("--browse", root=odd_root) as server:
        page = await page_of(server, "/d/")
        assert page.startswith('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">')
        assert "<title>Index of /d/</title>" in page
        assert '<td class="s" title="1,536 bytes">1.5 KiB</td>' in page
        assert '<time datetime="2020-09-13T12:26:40Z">2020-09-13 12:26</time>' in page
        assert 'href="../" aria-label="Parent directory"' in page
        assert "Download as ZIP" not in page
        assert not re.search(r"autofocus|<link rel=\"stylesheet|src=|https?://(?!www.w3.org/2000/svg)", page)
        assert "Parent directory" not in await page_of(server, "/")


async def test_names_are_escaped_c14_g2(tmp_path: Path, start: Start) -> None:
    odd = [
        '"><script>alert(1)</script>',
        "{{ 7*7 }}",
        "javascript:alert(1)",
        "a&amp;b",
        "\u202egnp.exe",
        "new\nline",
        "%2e%2e",
    ]
    root = build(tmp_path / "root", {name.replace("/", "\u2215"): b"" for name in odd})
    (root / "<b>" / "<i>").mkdir(parents=True)
    async with start("--browse", root=root) as server:
        page = await page_of(server)
        assert "<script>alert" not in page
        assert 'href="./javascript:alert(1)"' in page
        assert "{{ 7*7 }}" in page
        deep = await page_of(server, "/%3Cb%3E/%3Ci%3E/")
        assert "<i>" not in deep
        for href in re.findall(r'<tr><th scope="row"><a href="([^"]*)"', page):
            assert (await send_request(server.address, get("/" + unescape(href).removeprefix("./")))).status == 200


async def test_a_readme_is_shown_and_sanitised_g2(tmp_path: Path, start: Start) -> None:
    text = (
        b"# Read *me*\n\n<script>alert(1)</script>\n\n<b onclick=x>bold</b> ![far](https://e.x/y.png) ![near](n.png)\n"
    )
    root = build(tmp_path / "root", {"ReadMe.MD": text, "large/README.md": b"#" * 70_000, "n.png": b""})
    (tmp_path / "outside.md").write_bytes(CANARY)
    (root / "link").mkdir()
    (root / "link/README.md").symlink_to("../../outside.md")
    async with start("--browse", root=root) as server:
        page = await page_of(server)
        assert '<h2 id="read-me">Read <em>me</em></h2>' in page
        assert "<b>bold</b> far" in page
        assert '<img src="n.png" alt="near">' in page
        assert "alert(1)" not in page
        for target in ("/large/", "/link/"):
            assert 'class="readme"' not in await page_of(server, target)
        (root / "ReadMe.MD").write_bytes(b"changed")
        await names(server)
        assert "alert" not in await page_of(server)


async def test_a_change_is_seen(tmp_path: Path, start: Start) -> None:
    root = build(tmp_path / "root", {"a.txt": b"a"})
    async with start("--browse", root=root) as server:
        first = await send_request(server.address, get("/", "Accept: application/json"))
        same = await send_request(
            server.address, get("/", "Accept: application/json", f"If-None-Match: {first['ETag']}")
        )
        assert same.status == 304
        (root / "a.txt").write_bytes(b"longer")
        (root / "b.txt").write_bytes(b"")
        expected = [("a.txt", 6), ("b.txt", 0)]
        deadline = time.monotonic() + 10
        while [(entry["name"], entry["size"]) for entry in (await listed(server))["entries"]] != expected:
            assert time.monotonic() < deadline  # --cache-ttl is 1 s


async def test_a_template_of_ones_own(tmp_path: Path, start: Start) -> None:
    root = build(tmp_path / "root", {"a<b.txt": b"a", "d/x": b"x", "README.md": b"*hi*"})
    template = tmp_path / "listing.html"
    template.write_text(
        "<!doctype html>{{ path }}:{% for e in entries %} {{ e.name }}={{ e.size }}{% endfor %}|{{ readme|safe }}"
    )
    async with start("--browse", "--listing-template", str(template), root=root) as server:
        response = await send_request(server.address, get("/"))
        assert response.content == b"<!doctype html>/: d/= a&lt;b.txt=1 B README.md=4 B|<p><em>hi</em></p>\n"
        assert response["Content-Security-Policy"] is None
        assert response["X-Robots-Tag"] == "noindex"


async def test_listings_in_the_sandbox(tmp_path: Path, start: Start) -> None:
    root = build(tmp_path / "root", {"README.md": b"# Hi", "d/x.txt": b"x"})
    async with start("--browse", "--zip-downloads", "--sandbox", root=root) as server:
        assert '<h2 id="hi">Hi</h2>' in await page_of(server)
        assert await names(server) == ["d", "README.md"]
        assert (await archive_of(server, "/")).namelist() == ["files/", "files/README.md", "files/d/", "files/d/x.txt"]


async def test_an_archive(tmp_path: Path, start: Start) -> None:
    large = os.urandom(300_000)
    files = {"d/large.bin": large, "d/empty.txt": b"", "d/65535": bytes(65535), "d/e/f.txt": b"f", "d/中.txt": b"\xe4"}
    root = build(tmp_path / "root", {**files, "d/back\\slash": b"", "other": CANARY})
    (root / "d/nothing").mkdir()
    async with start("--browse", "--zip-downloads", root=root) as server:
        assert 'href="?download=zip"' in await page_of(server, "/d/")
        response = await send_request(server.address, get("/d/?download=zip"))
        assert response["Content-Disposition"] == "attachment; filename*=UTF-8''d.zip"
        assert (response["ETag"], response["Last-Modified"], response["Accept-Ranges"]) == (None, None, None)
        assert response["X-Robots-Tag"] == "noindex"
        archive = await archive_of(server, "/d/")
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "d/": b"", "d/nothing/": b"", "d/e/": b"", "d/back_slash": b"", **files,
        }  # fmt: skip
        info = archive.getinfo("d/large.bin")
        assert info.date_time == (2020, 9, 13, 12, 26, 40)
        assert stat.S_IMODE(info.external_attr >> 16) == 0o644
        head = await send_request(server.address, get("/d/?download=zip", method="HEAD"))
        assert (head.status, head["Content-Length"]) == (200, response["Content-Length"])
        ranged = await send_request(server.address, get("/d/?download=zip", "Range: bytes=0-1"))
        assert (ranged.status, len(ranged.content)) == (200, len(response.content))


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (b"{% for %}", "line 1: "),
        (b"\n\n{{ nothing }}", "'nothing' is undefined"),
        (b"{{ 1 / 0 }}", "division by zero"),
        (b"\xff", "it is not UTF-8"),
        (None, "it cannot be read: No such file or directory"),
    ],
)
def test_a_template_with_a_mistake(tmp_path: Path, design: Design, template: bytes | None, message: str) -> None:
    path = tmp_path / "listing.html"
    if template is not None:
        path.write_bytes(template)
    arguments = command(design, tmp_path, "--browse", "--listing-template", str(path))
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=30, env=environment(), check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"{design.program}: {path}")
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--zip-downloads", "--listing-template=x"])
def test_an_option_without_browse(tmp_path: Path, design: Design, option: str) -> None:
    arguments = command(design, tmp_path, option)
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=30, env=environment(), check=False)
    assert run.returncode == 2
    assert "it has no meaning without --browse" in run.stderr


async def test_archives_and_listings_beneath_access_rules(tmp_path: Path, start: Start) -> None:
    files = {"a.txt": b"a", "private/b.txt": CANARY, "private/c/d.txt": CANARY, "README.md": b"# Hi"}
    root = build(tmp_path / "root", files | {"about.html": CANARY, "about.html.gz": CANARY})
    config = tmp_path / "pwb.toml"
    guarded = ("/private/*", "/README.md", "/about")  # the last is the address of a page
    config.write_text("".join(f'[[access]]\nfor = "{path}"\ndeny = ["0.0.0.0/0"]\n' for path in guarded))
    options = ("--browse", "--zip-downloads", "--clean-urls", "--config", str(config))
    async with start(*options, root=root) as server:
        assert (await archive_of(server, "/")).namelist() == ["files/", "files/a.txt"]
        assert 'class="readme"' not in await page_of(server)
        for target in ("/private/", "/private/?format=json", "/private/?download=zip", "/private/c/"):
            response = await send_request(server.address, get(target))
            assert response.status == 403
            assert CANARY not in response.content


async def test_what_a_mount_hides_is_in_no_archive(tmp_path: Path, start: Start) -> None:
    files = {"a.txt": b"a", "docs/old.txt": CANARY, "docs/sub/x": CANARY, "d/e/old.txt": CANARY, "d/kept.txt": b"k"}
    root = build(tmp_path / "root", files)
    docs = build(tmp_path / "docs", {"own.txt": b"o", "in/old.txt": CANARY})
    deep = build(tmp_path / "deep", {"t.txt": b"t"})
    mounts = [f"--mount={path}={folder}" for path, folder in (("/docs/", docs), ("/d/e/", deep), ("/docs/in/", deep))]
    async with start("--browse", "--zip-downloads", *mounts, root=root) as server:
        for target, names_in_it in {
            "/": ["files/", "files/a.txt", "files/d/", "files/d/kept.txt"],
            "/d/": ["d/", "d/kept.txt"],
            "/docs/": ["files/", "files/own.txt"],
            "/docs/in/": ["files/", "files/t.txt"],
        }.items():
            assert (await archive_of(server, target)).namelist() == names_in_it
        assert await names(server) == ["d", "docs", "a.txt"], "what a mount hides has an address all the same"


@pytest.mark.parametrize(
    ("target", "crumbs"),
    [("/p/q/", ["./"]), ("/p/q/d/", ["../", "./"]), ("/docs/", ["./"]), ("/docs/d/", ["../", "./"])],
)
async def test_no_link_leads_above_what_is_served(tmp_path: Path, start: Start, target: str, crumbs: list[str]) -> None:
    root = build(tmp_path / "root", {"d/a.txt": b"a"})
    options = ("--browse", "--prefix", "/p/q/", f"--mount=/docs/={root}")
    async with start(*options, root=root, allowed_errors="it is outside of the prefix") as server:
        page = await page_of(server, target)
        assert re.findall(r'<li><a href="([^"]*)"', page) == crumbs
        assert ("Parent directory" in page) == (len(crumbs) > 1)


async def test_a_template_that_fails_later_has_the_error_page_of_the_site(tmp_path: Path, start: Start) -> None:
    page = b"<!DOCTYPE html>\n<title>500 of the site</title>\n"
    root = build(tmp_path / "root", {"500.html": page, "empty/d/x": b""})
    template = tmp_path / "listing.html"
    template.write_text("<!DOCTYPE html>\n<title>{{ 10 // files }}</title>")
    options = ("--browse", "--listing-template", str(template))
    message = "the template of listings: ZeroDivisionError: "
    async with start(*options, root=root, allowed_errors=message) as server:
        assert await page_of(server) == "<!DOCTYPE html>\n<title>10</title>"
        response = await send_request(server.address, get("/empty/"))
        assert (response.status, response.content) == (500, page)
