"""--type, --charset and --serve-encoded: the fields that describe a file's content (RFC 9110 8.3, 8.4)."""

from typing import Final

from .peer import send_request
from .server import Server, Start
from .tree import ALPHABET
from .wire import Response, get

OPTIONS: Final = (
    *("--type", "*.unheard-of=text/x-new", "--type", "types/none=application/x-none;v=1"),
    *("--type", "index.html=application/xhtml+xml", "--type", "/index.html=text/html; charset=big5"),
    *("--type", "x.data=application/x-data", "--type", "*.css.gz=application/gzip"),
    *("--charset", "euc-kr", "--serve-encoded"),
)
TYPES: Final = {
    "/types/x.unheard-of": ("text/x-new; charset=euc-kr", None),
    "/types/none": ("application/x-none;v=1", None),
    "/": ("text/html; charset=big5", None),
    "/index.html": ("text/html; charset=big5", None),
    "/sub/": ("application/xhtml+xml", None),
    "/types/x.html": ("text/html; charset=euc-kr", None),
    "/types/x.css": ("text/css; charset=euc-kr", None),
    "/types/x.json": ("application/json", None),
    "/types/x.js.br": ("text/javascript; charset=euc-kr", "br"),
    "/types/x.data.gz": ("application/x-data", "gzip"),
    "/types/x.tar.gz": ("application/gzip", None),
    "/types/x.css.gz": ("application/gzip", None),
    "/types/x-1.2.gz": ("application/gzip", None),
    "/types/x.br": ("application/x-brotli", None),
    "/missing.txt": ("text/html; charset=utf-8", None),
}


async def test_types_and_codings_that_options_name(start: Start) -> None:
    async with start(*OPTIONS) as server:
        for target, (media, coding) in TYPES.items():
            response = await send_request(server.address, get(target))
            assert (response["Content-Type"], response["Content-Encoding"]) == (media, coding), target
        await check_coded(server)


async def test_a_copy_from_before_the_coding_was_said_is_not_revalidated(start: Start) -> None:
    """A client would keep the fields of the cached response, and take coded bytes for a script (RFC 9110 8.8.3.3)."""
    async with start() as server:
        before = await send_request(server.address, get("/types/x.js.br"))
        other = await send_request(server.address, get("/types/x.css"))
    async with start("--serve-encoded") as server:
        known = f"If-None-Match: {before['ETag']}"
        after = await send_request(server.address, get("/types/x.js.br", known))
        assert (after.status, after["Content-Encoding"]) == (200, "br")
        assert (
            await send_request(server.address, get("/types/x.css", f"If-None-Match: {other['ETag']}"))
        ).status == 304
        part = await send_request(
            server.address, get("/types/x.js.br", "Range: bytes=2-5", f"If-Range: {before['ETag']}")
        )
        assert part.status == 200
        tag = after["ETag"] or ""
        assert tag.strip('"') == (before["ETag"] or "").strip('"') + "-br"
        same = await send_request(server.address, get("/types/x.js.br", f"If-None-Match: {tag}"))
        assert (same.status, same["ETag"]) == (304, tag)
        assert (await send_request(server.address, get("/types/x.js.br", f"If-Match: {before['ETag']}"))).status == 412
        assert (await send_request(server.address, get("/types/x.js.br", f"If-Match: {tag}"))).status == 200


async def check_coded(server: Server) -> None:
    """A coded file has one representation: its validators and its ranges are those of the bytes as they are, and no
    field of the request chooses it."""

    async def ask_for(*fields: str, method: str = "GET") -> Response:
        return await send_request(server.address, get("/types/x.js.br", *fields, method=method))

    whole = await ask_for("Accept-Encoding: identity")
    assert (whole.status, whole.content, whole["Vary"]) == (200, ALPHABET, None)
    assert (await ask_for(method="HEAD"))["Content-Encoding"] == "br"
    assert (await ask_for(f"If-None-Match: {whole['ETag']}")).status == 304
    part = await ask_for("Range: bytes=2-5", f"If-Range: {whole['ETag']}")
    assert (part.status, part.content, part["Content-Encoding"]) == (206, ALPHABET[2:6], "br")
    assert part["Content-Range"] == f"bytes 2-5/{len(ALPHABET)}"
    parts = await ask_for("Range: bytes=0-1,4-5")
    # The multipart content is not coded: each part has its own Content-Encoding.
    assert (parts.status, parts["Content-Encoding"]) == (206, None)
    head = b"\r\nContent-Type: text/javascript; charset=euc-kr\r\nContent-Encoding: br\r\nContent-Range: bytes "
    assert parts.content.count(head) == 2


async def test_no_charset(start: Start) -> None:
    """Without a charset in the field a page's own <meta> decides; pages that the server writes still have theirs."""
    async with start("--charset", "off", "--type", "*.css=text/css;charset=big5") as server:
        for target, media in {
            "/types/x.html": "text/html",
            "/types/x.js": "text/javascript",
            "/types/x.css": "text/css;charset=big5",
            "/missing": "text/html; charset=utf-8",
        }.items():
            assert (await send_request(server.address, get(target)))["Content-Type"] == media
