"""From a path to a file: folders, indexes, odd names, hidden names, links, special files
(section C of docs/hazards.md)."""

from pwb_legacy.compare.checks import essential_rows
from pwb_legacy.compare.checks.rows import Expected, Row, expect, get, row
from tests.conformance.tree import ALPHABET, FILES

_404 = expect(404, content_type="text/html; charset=utf-8", x_content_type_options="nosniff", location=None)


def _to(location: str) -> Expected:
    return expect(301, location=location, content_type="text/html; charset=utf-8")


ROWS: list[Row] = [
    *essential_rows.NAMES,
    row("root-has-its-index", get("/"), expect(200, b"<h1>front</h1>", content_type="text/html; charset=utf-8")),
    row("index-by-its-name", get("/sub/index.html"), expect(200, b"<h1>sub</h1>")),
    row("folder-without-an-index", get("/bare/"), _404),
    row("index-that-is-a-folder", get("/index-is-folder/"), _404),
    row("C2-index-that-leads-out", get("/index-is-link-out/"), _404),
    row("missing", get("/missing"), _404),
    row("missing-folder", get("/missing/"), _404),
    row("missing-in-a-missing-folder", get("/missing/x/y"), _404),
    row("C6-name-below-a-file", get("/a.txt/x"), _404),
    row("C8-file-with-a-slash", get("/a.txt/"), _404),
    row("C6-longest-name", get("/" + "n" * 255 + "/"), expect(200, b"a name as long as it may be")),
    row("C6-name-too-long", get("/" + "n" * 256), _404),
    row("C6-path-too-long", get("/sub" * 1500), _404),
    # redirects
    row("C9-folder-without-its-slash", get("/sub"), _to("/sub/")),
    row("C9-query-is-kept", get("/sub?x=1&y"), _to("/sub/?x=1&y")),
    row("C9-empty-query-is-kept", get("/sub?"), _to("/sub/?")),
    row("C9-absolute-form-stays-here", get("http://evil.com/sub"), _to("/sub/")),
    row("C9-two-slashes-name-no-host", get("//sub"), _to("/sub/")),
    row("C9-host-in-the-path", get("//evil.com"), _to("/evil.com/")),
    row("C9-host-and-a-parameter-in-the-path", get("//evil.com/x;/sub"), _to("/evil.com/x;/sub/")),
    row("C9-host-and-a-hidden-name-in-the-path", get("//evil.com/..;/sub"), _404),
    row("C9-host-with-dot-segments", get("//evil.com/%2e%2e/evil.com"), _to("/evil.com/")),
    row("C9-backslash", get("/%5Cevil/sub"), _to("/%5Cevil/sub/")),
    row("C9-raw-backslash", get("/\\evil/%2e%2e/sub"), _to("/sub/")),
    row("C10-line-end", get("/s%0d%0aX:%201ub"), _to("/s%0D%0AX:%201ub/")),
    # odd names
    row("C11-no-utf-8", get("/%FF%FE"), expect(200, b"an odd name")),
    row("C11-plus-is-a-plus", get("/plus+plus.txt"), expect(200, b"a plus in the name")),
    row("C11-plus-is-no-space", get("/a+b"), _404),
    row("C11-decoded-once", get("/percent%41.txt"), _404),
    row("C11-question-mark", get("/que%3Fry.txt"), expect(200, b"a question mark in the name")),
    row("C11-hash", get("/hash%23tag.txt"), expect(200, b"a hash in the name")),
    row("C11-semicolon", get("/semi;colon=1.txt"), expect(200, b"a semicolon in the name")),
    row("C11-backslash", get("/a%5Cb"), expect(200, b"a backslash in the name")),
    row("C10-line-end-in-a-name", get("/a%0D%0AX:%20y.txt"), expect(200, b"a line end in the name")),
    row("C14-markup", get("/%3Cimg%20onerror=alert(1)%3E.html"), expect(200, b"markup in the name")),
    row("C11-name-in-another-case", get("/A.TXT"), _404),
    row("C11-escaped-slash-is-no-slash", (get("/sub/index.html"), get("/sub%2Findex.html")), expect(200), _404),
    row("C11-escaped-slash-makes-no-folder", (get("/sub/"), get("/sub%2F")), expect(200), _404),
    # hidden
    *(
        row(f"C7-{target.strip('/').replace('/', '-')}", get(target), _404)
        for target in ("/.env", "/.git/config", "/%2egit/config", "/.git", "/.htpasswd", "/sub/.hidden/x.txt", "/...")
    ),
    row("C7-two-dots-in-front", get("/sub/..dots.txt"), _404),
    row("C7-hidden-and-missing", get("/.nothing"), _404),
    row("C7-well-known", get("/.well-known/security.txt"), expect(200, FILES[b".well-known/security.txt"])),
    row("C7-hidden-in-well-known", get("/.well-known/.x"), _404),
    row("C7-well-known-only-at-the-root", get("/sub/.well-known/x"), _404),
    # links
    row("C2-link-inside", get("/link-in"), expect(200, ALPHABET)),
    row("C2-link-to-a-link-inside", get("/link-in-twice"), expect(200, ALPHABET)),
    row("C2-link-up-and-down-inside", get("/link-in-up"), expect(200, ALPHABET)),
    row("C2-link-up-inside", get("/sub/link-up"), expect(200, ALPHABET)),
    row("C2-link-to-a-folder-inside", get("/link-in-folder/index.html"), expect(200, b"<h1>sub</h1>")),
    row("C2-link-to-a-folder-without-its-slash", get("/link-in-folder"), _to("/link-in-folder/")),
    *(
        row(f"C2{target.replace('/', '-')}", get(target), _404)
        for target in (
            "/link-out",
            "/link-out/",
            "/link-out-folder/secret.txt",
            "/link-out-folder",
            "/link-out-folder/",
            "/link-out-and-in",
            "/link-out-absolute",
            "/link-out-absolute/",
            "/link-in-absolute",
            "/link-out-chain",
            "/link-out-sibling/secret.txt",
            "/link-out-sibling/",
            "/link-magic/etc/passwd",
            "/link-magic-cwd/secret.txt",
            "/link-loop",
            "/link-dangling",
            "/sub/link-out",
            "/link-out.gz",
        )
    ),
    # special files
    row("C5-fifo", get("/fifo"), _404),
    row("C5-fifo-with-a-slash", get("/fifo/"), _404),
    row("C5-socket", get("/socket"), _404),
    row("C5-dev-zero", get("/link-zero"), _404),
    row("C5-dev-tty", get("/link-tty"), _404),
]
