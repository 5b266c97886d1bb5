"""What is probably not meant: rules that are never reached, circles, and fields that the makers treat differently."""

import time

import pytest

from pwb_async.config.headers_file import parse_headers
from pwb_async.config.redirects_file import parse_redirects
from pwb_async.core.site.header_rules import HeaderRule
from pwb_async.core.site.rule_warnings import header_warnings, redirect_warnings


def warnings(text: str) -> list[str]:
    rules = parse_redirects("R", "\n".join(text.split("; ")).encode()).rules
    return list(redirect_warnings(rules))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("/a /b 301; /c /d 301", []),
        ("/a /b 301; /a /c 301", [(2, 1)]),
        ("/a /b 301; /a/ /c 301", [(2, 1)]),
        ("/a /b 301; /a /c 301!", [(1, 2)]),  # the forced one is asked first, wherever it stands
        ("/a /b 301!; /a /c 301!", [(2, 1)]),
        ("/* /b 301; /a /c 301", [(2, 1)]),
        ("/* /b 301; /a/* /c 301; /:x/y /c 301", [(2, 1), (3, 1)]),
        ("/* /b 301; /a /c 301!", []),
        ("/a/* /b 301; /a /c 301; /ab /c 301", [(2, 1)]),
        ("/a/:x /b 301; /a/* /c 301", []),
        ("/a/* /b 301; /a/:x /c 301", [(2, 1)]),
        ("/:x /b/x 301; /:y /c/y 301", [(2, 1)]),
        ("/*.js /b 301; /a/*.js /c 301; /a/*.css /c 301", [(2, 1)]),
        ("/a id=1 /b 301; /a /c 301", []),
        ("/a /c 301; /a id=1 /b 301", [(2, 1)]),
        ("http://h/* /b 301; /a /c 301; http://h/a /c 301; http://i/a /c 301", [(3, 1), (4, 2)]),
        ("http://:x.h/* /b 301; http://y.h/z /c 301", [(2, 1)]),
    ],
)
def test_a_rule_that_is_never_reached(text: str, lines: list[tuple[int, int]]) -> None:
    assert warnings(text) == [f"R line {line}: it is never reached, see R line {other}" for line, other in lines]


@pytest.mark.parametrize(
    ("text", "circles"),
    [
        ("/a /b 301; /b /a 301", {1: "/a, /b, /a"}),
        ("/a /b/x 301; /b/* /:splat 301; /x /a/ 302!", {1: "/a, /b/x, /x, /a/"}),
        ("/c /a 301; /a /b 301; /b /a 301; /d /e 301; /e /d 301", {2: "/a, /b, /a", 4: "/d, /e, /d"}),
        ("/x/* /y/:splat 301; /y/* /x/:splat 301", {1: "/x, /y/, /x/"}),
        ("/x/:n /y/:n 301; /y/:n /x/:n 301", {1: "/x/x, /y/x, /x/x"}),
        ("/x/* /x/y 301", {}),
        ("/a https://h/a 301; https://h/* /a 301", {}),
        ("/a /b 301; /b /c 301; /c /d 301", {}),
        ("/a /b 301; /b /a 200", {}),
        ("/a /b 301; /b https://h/a 301", {}),
        ("/a /b 301; /b /c 301; /c /b 301", {2: "/b, /c, /b"}),
        ("/a id=1 /b 301; /b /a 301", {}),
    ],
)
def test_redirects_in_a_circle(text: str, circles: dict[int, str]) -> None:
    assert warnings(text) == [f"R line {line}: it redirects in a circle: {paths}" for line, paths in circles.items()]


@pytest.mark.parametrize(
    ("text", "endless"),
    [
        ("/loop/* /loop/a/:splat 301", {1: "/loop, /loop/a/, /loop/a/a, /loop/a/a/a"}),
        ("/* /new/:splat 301", {1: "/, /new/, /new/new, /new/new/new"}),
        ("/a/* /b/x/:splat 301; /b/* /a/:splat 301; /c /a/ 301", {1: "/a, /b/x/, /a/x, /b/x/x"}),
        ("/* /new/:splat 301; /new/* /new.html 200!", {}),
        ("/*x /b/:splat/x 301", {1: "/x, /b//x, /b/b//x, /b/b/b//x"}),
    ],
)
def test_redirects_without_end(text: str, endless: dict[int, str]) -> None:
    """Of which each leads to the next one, where there is no file."""
    assert warnings(text) == [
        f"R line {line}: it redirects without end: {paths}, ..." for line, paths in endless.items()
    ]


def test_rules_for_what_is_never_served() -> None:
    text = "/.hid /x 301; /a/.b/* /x 301; /.well-known/x /y 301; /x/*/.git /y 301; /.x*/a /y 301"
    assert warnings(text) == [
        f"R line {line}: it is never reached, as names that begin with a dot are not served" for line in (1, 2, 4, 5)
    ]
    rules = parse_redirects("R", "\n".join(text.split("; ")).encode()).rules
    assert list(redirect_warnings(rules, dotfiles=True)) == []


def test_a_rewrite_with_a_query() -> None:
    lines = warnings("/a /c?x=1 200; /b /c#d 404; /d /c?x=1 301; /e /c 200")
    assert lines == [
        "R line 1: what is behind the path of /c?x=1 has no effect, as a file is sent",
        "R line 2: what is behind the path of /c#d has no effect, as a file is sent",
    ]


def test_a_page_for_everything_is_also_one_for_missing_scripts() -> None:
    (line,) = warnings("/* /index.html 200")
    assert line.startswith("R line 1: missing scripts, styles and images get /index.html, too; with --spa")
    assert warnings("/* /404.html 404; /app/* /index.html 200") == ["R line 2: it is never reached, see R line 1"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("/*; X-A: 1; /b; X-A: 2", [(3, 1)]),
        ("/b; x-a: 1; /*; X-A: 2", [(3, 1)]),
        ("/*; X-A: 1; /b; ! X-A; X-A: 2", []),
        ("/a; X-A: 1; /b; X-A: 2", []),
        ("/*; Link: 1; Vary: 1; Set-Cookie: 1; /b; Link: 2; Vary: 2; Set-Cookie: 2", []),
        ("/*; X-A: 1; /b; X-B: 2", []),
        ("https://a/*; X-A: 1; https://b/*; X-A: 2", []),
    ],
)
def test_a_field_that_is_set_again(text: str, lines: list[tuple[int, int]]) -> None:
    rules = parse_headers("H", "\n".join(text.split("; ")).encode()).rules
    found = list(header_warnings([*rules, HeaderRule("--header", None, ((b"X-A", (b"1",)),))]))
    assert [line.partition(", as at")[0] for line in found] == [
        f"H line {line}: X-A replaces that of H line {other}" for line, other in lines
    ]


def test_many_rules_are_checked_in_bounded_time() -> None:
    began = time.process_time()
    assert len(warnings("; ".join(f"/:x/{number}/* /y/{number} 301" for number in range(2_000)))) == 0
    assert len(warnings("; ".join(f"/x/{number} /y 301" for number in [*range(5_000), *range(100)]))) == 100
    assert time.process_time() - began < 10
