"""The files _headers and _redirects, and the tables of rules in TOML: what they mean, and each mistake in one line."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from pwb_async.config.headers_file import parse_headers
from pwb_async.config.loader import read_options
from pwb_async.config.options import ConfigError
from pwb_async.config.redirects_file import parse_redirects
from pwb_async.config.rule_tables import parse_tables
from pwb_async.config.rules import Rules


def test_comments_blank_lines_and_line_ends() -> None:
    content = b"\xef\xbb\xbf# a\r\n\r\n  /a /b 301 # why\r/c\t/d#e  308!\n/f /g 301 #\n"
    rules = parse_redirects("R", content).rules
    assert [(rule.place, rule.pattern.text, rule.destination.text, rule.status, rule.force) for rule in rules] == [
        ("R line 3", "/a", "/b", 301, False),
        ("R line 4", "/c", "/d#e", 308, True),
        ("R line 5", "/f", "/g", 301, False),
    ]
    assert parse_redirects("R", b"").rules == ()


def test_a_missing_status_is_302_with_a_warning() -> None:
    redirects = parse_redirects("R", b"/a /b\n/c /d 301")
    assert [rule.status for rule in redirects.rules] == [302, 301]
    assert redirects.warnings == ("R line 1: it has no status; PWB sends 302, as Cloudflare does, and Netlify 301",)


REDIRECTS = [
    ("/old", "it has no destination"),
    ("/old a=1", "it has no destination"),
    ("/a b 301", '"b": a destination begins with "/" or "http(s)://"'),
    ("/a 301", '"301": a destination begins with'),
    ("/a ftp://h/ 301", '"ftp://h/": a destination begins with'),
    ("/a x /b 301", '"x": in front of the destination is room for the query only'),
    ("/a =1 /b 301", "in front of the destination is room for the query only"),
    ("old /new", 'a path begins with "/"'),
    ("/a /b 999", '"999": the status must be one of 200, 301, 302, 303, 307, 308, 404, 410'),
    ("/a /b 3O1", "the status must be one of"),
    ("/a /b 301!!", "the status must be one of"),
    ("/a /b 301 x", 'unknown word "x" after the status'),
    ("/a /b 302 Country=au", 'the condition "Country=au" is not supported'),
    ("/a /b Language=de", 'the condition "Language=de" is not supported'),
    ("/a /b 302! role=admin", "is not supported"),
    ("/a /b 302 Cookie=x", "is not supported"),
    ("/a https://api.example/ 200", "PWB does not proxy"),
    ("/a/*/b/* /c", 'one "*" only'),
    ("/ph:id /x/:id", '":id" must be a whole segment'),
    ("/a/:x /b/:y", '":y" is not in the source'),
    ("/a id=:x /b/:y", '":y" is not in the source'),
    ("/a /b/:splat", '":splat" is not in the source'),
    ("/a/:x/:x /b", "there twice"),
    ("/self/* /self/:splat 301", "it leads to itself"),
    ("/loop /loop 302", "it leads to itself"),
    ("/a https://:x.example/ 301", "a placeholder in the host"),
    ("/a https://u:p@ok.example/ 301", "a destination has neither a user nor a password"),
    ("/a https://u@ok.example/ 301", "a destination has neither a user nor a password"),
    ("/_headers /x", "reserved"),
    ("/a //evil 301", "would name another host"),
    ("/x\0 /y", "it holds a NUL"),
    ("/\udcff /y", "it is not UTF-8"),
    ("/" + "x" * 9000 + " /y", "more than 8190"),
]


@pytest.mark.parametrize(("line", "reason"), REDIRECTS)
def test_a_mistake_in_redirects_is_one_line(line: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_redirects("site/_redirects", b"# x\n" + line.encode(errors="surrogateescape"))
    assert str(caught.value).startswith("site/_redirects line 2: ")
    assert reason in str(caught.value)
    assert str(caught.value).endswith(".")
    assert str(caught.value).isprintable()


def test_bounds_of_a_file() -> None:
    with pytest.raises(ConfigError, match=r"R: it has more than 1048576 bytes\."):
        parse_redirects("R", b"#" * (1 << 20) + b"\n")
    with pytest.raises(ConfigError, match=r"R line 10001: there are more than 10000 rules\."):
        parse_redirects("R", b"/a /b 301\n" * 10_001)
    with pytest.raises(ConfigError, match=r"H line 10001: there are more than 10000 rules\."):
        parse_headers("H", b"/a\n" * 10_001)
    assert len(parse_redirects("R", b"/.well-known/* /b 301\n" * 10_000).rules) == 10_000


def test_blocks_of_headers() -> None:
    content = b"# x\n/a\nX-A: 1:2 # no comment\n  ! X-B\n\nhttps://h/*\n\tX-C:3\n/b\n"
    headers = parse_headers("H", content)
    assert [(rule.place, rule.changes) for rule in headers.rules] == [
        ("H line 2", ((b"X-A", (b"1:2 # no comment",)), (b"X-B", None))),
        ("H line 6", ((b"X-C", (b"3",)),)),
        ("H line 8", ()),
    ]
    assert headers.warnings == ("H line 8: there is no field below it",)


HEADERS = [
    ("X-A: 1", "there is no path before it"),
    ("! X-A", "there is no path before it"),
    ("/a\nX-A", 'it is neither a path nor "Name: value" nor "! Name"'),
    ("/a\nX-A:", "X-A has no value"),
    ("/a\n: 1", '"" is not the name of a field'),
    ("/a\nX A: 1", '"X A" is not the name of a field'),
    ("/a\n!", '"" is not the name of a field'),
    ("/a\n! X A", '"X A" is not the name of a field'),
    ("/a\nX-A: ü", "US-ASCII"),
    ("/a\nConnection: x", "Connection cannot be set: PWB sets it itself"),
    ("/a\nserver: x", "server cannot be set"),
    ("/a\n! Date", "Date cannot be removed"),
    ("/a\nBasic-Auth: a:b", "--htpasswd"),
    ("/a/*/*", 'one "*" only'),
    ("/a:b", "must be a whole segment"),
    ("https://h", "has no path"),
    ("/a\nHttps://*/x", "not a host name"),
    ("/a\nX-A: 1\x00", "it holds a NUL"),
    ("/a\nX-A: \udcff", "it is not UTF-8"),
]


@pytest.mark.parametrize(("lines", "reason"), HEADERS)
def test_a_mistake_in_headers_is_one_line(lines: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_headers("site/_headers", lines.encode(errors="surrogateescape"))
    assert str(caught.value).startswith(f"site/_headers line {lines.count(chr(10)) + 1}: ")
    assert reason in str(caught.value)


def parse(text: str) -> Rules:
    tables: dict[str, Any] = tomllib.loads(text)
    return parse_tables("pwb.toml", text, tables.get("tool", {}).get("pwb", tables))


def test_tables_of_rules() -> None:
    rules = parse(
        """
        [[rewrites]]
        from = "/app/*"
        to = "/app/index.html"
        [[redirects]]
        from = "/blog/:year/*"
        to = "/posts/:year/:splat"
        status = 301
        [[ redirects ]]
        from = "/q"
        to = "/a/:id"
        force = true
        query = { id = ":id" }
        [[headers]]
        for = "/assets/*"
        set = { "Cache-Control" = "max-age=1", "Set-Cookie" = ["a=1", "b=2"], "X-Splat" = ":splat" }
        unset = ["X-Robots-Tag"]
        """
    )
    assert [(rule.place, rule.status, rule.force) for rule in rules.redirects] == [
        ("pwb.toml line 5", 301, False),
        ("pwb.toml line 9", 302, True),
        ("pwb.toml line 2", 200, False),
    ]
    assert rules.redirects[1].query == ((b"id", "id"),)
    assert rules.headers[0].changes == (
        (b"X-Robots-Tag", None),
        (b"Cache-Control", (b"max-age=1",)),
        (b"Set-Cookie", (b"a=1",)),
        (b"Set-Cookie", (b"b=2",)),
        (b"X-Splat", ("splat",)),
    )
    assert parse("") == Rules()


def test_places_in_pyproject_and_without_lines() -> None:
    text = '[tool.pwb]\nport = 1\n[[tool.pwb.redirects]]\nfrom = "/a"\nto = "/b"\nstatus = 301\n'
    assert [rule.place for rule in parse(text).redirects] == ["pwb.toml line 3"]
    text = 'redirects = [{ from = "/a", to = "/b" }, { from = "/a", to = "/c", status = 301 }]'
    rules = parse(text)
    assert [rule.place for rule in rules.redirects] == ["pwb.toml: redirects 1", "pwb.toml: redirects 2"]
    assert rules.warnings == (
        "pwb.toml: redirects 1: it has no status; PWB sends 302, as Cloudflare does, and Netlify 301",
    )


TABLES = [
    ("redirects = 1", "pwb.toml: redirects is not a list of tables: each begins with [[redirects]]."),
    ("redirects = [1]", "pwb.toml: redirects is not a list of tables: each begins with [[redirects]]."),
    ("[redirects]", "pwb.toml: redirects is not a list of tables: each begins with [[redirects]]."),
    ('[[redirects]]\nto = "/b"', "pwb.toml line 1: from is missing."),
    ('[[redirects]]\nfrom = "/b"', "pwb.toml line 1: to is missing."),
    ('[[redirects]]\nform = "/b"', "pwb.toml line 1: unknown key 'form' (did you mean 'from'?)."),
    ('[[redirects]]\nfrom = 1\nto = "/"', "pwb.toml line 1: from 1 is of the wrong type, not a string."),
    (
        '[[redirects]]\nfrom = "/b"\nto = "/"\nstatus = "301"',
        "pwb.toml line 1: status '301' is of the wrong type, not a number.",
    ),
    (
        '[[redirects]]\nfrom = "/b"\nto = "/"\nstatus = true',
        "pwb.toml line 1: status True is of the wrong type, not a number.",
    ),
    (
        '[[redirects]]\nfrom = "/b"\nto = "/"\nstatus = 200',
        "pwb.toml line 1: status 200 is not one of 301, 302, 303, 307, 308.",
    ),
    (
        '[[rewrites]]\nfrom = "/b"\nto = "/"\nstatus = 301',
        "pwb.toml line 1: status 301 is not one of 200, 404, 410.",
    ),
    (
        '[[redirects]]\nfrom = "/b"\nto = "/"\nforce = 1',
        "pwb.toml line 1: force 1 is of the wrong type, not true or false.",
    ),
    (
        '[[redirects]]\nfrom = "/b"\nto = "/"\nquery = "x"',
        "pwb.toml line 1: query 'x' is of the wrong type, not a table.",
    ),
    (
        '[[redirects]]\nfrom = "/b"\nto = "/"\nquery = { a = 1 }',
        "pwb.toml line 1: the value 1 of a in query is of the wrong type, not a string.",
    ),
    ('[[redirects]]\nfrom = "b"\nto = "/"', 'pwb.toml line 1: "b": a path begins with "/".'),
    ('[[rewrites]]\nfrom = "/b"\nto = "http://x/"', "pwb.toml line 1: PWB does not proxy: with 200"),
    ("[[headers]]\nset = {}", "pwb.toml line 1: for is missing."),
    ("limits = 1", "pwb.toml: limits is not a list of tables: each begins with [[limits]]."),
    ('[[limits]]\nmax_request_rate = "1/s"', "pwb.toml line 1: for is missing."),
    ('[[limits]]\nfor = "/a"', "pwb.toml line 1: there is none of max_request_rate, request_burst, max_send_rate,"),
    ('[[limits]]\nfor = "a"\nmax_send_rate = 0', 'pwb.toml line 1: "a": a path begins with "/".'),
    (
        '[[limits]]\nfor = "https://a.example/x"\nmax_send_rate = 0',
        'pwb.toml line 1: "https://a.example/x": limits depend on the path alone, as a client may name any host.',
    ),
    ('[[limits]]\nfor = "/a"\nrate = "1/s"', "pwb.toml line 1: unknown key 'rate'"),
    (
        '[[limits]]\nfor = "/a"\nmax-request-rate = 5',
        'pwb.toml line 1: max-request-rate: 5 is of the wrong type: it must be a string such as "20/s".',
    ),
    (
        '[[limits]]\nfor = "/a"\nmax_request_rate = "5"',
        "pwb.toml line 1: max_request_rate: '5' is not a rate such as 20/s, 600/m or 1000/h, nor off.",
    ),
    (
        '[[limits]]\nfor = "/a"\nmax_send_rate = "1000"',
        "pwb.toml line 1: max_send_rate: '1000' is less than 1024 bytes a second.",
    ),
    ('[[limits]]\nfor = "/a"\nlimit_exempt = "::1"', "pwb.toml line 1: limit_exempt: '::1' is not a list."),
    (
        '[[limits]]\nfor = "/a"\nlimit_exempt = ["10.0.0.1/8"]',
        "pwb.toml line 1: limit_exempt: '10.0.0.1/8' has bits set behind its prefix; the network is 10.0.0.0/8.",
    ),
    ('[[limits]]\nfor = "/a"\nmax_request_rate = "1/s"\nmax-request-rate = "2/s"', "pwb.toml line 1: max_request_rate"),
    ('[[access]]\nhtpasswd = "u"', "pwb.toml line 1: for is missing."),
    ('[[access]]\nfor = "/a"', "pwb.toml line 1: there is neither htpasswd nor allow nor deny."),
    ('[[access]]\nfor = "a"\ndeny = ["::1"]', 'pwb.toml line 1: "a": a path begins with "/".'),
    ('[[access]]\nfor = "/a"\nhtpasswd = 1', "pwb.toml line 1: htpasswd 1 is of the wrong type, not a string."),
    ('[[access]]\nfor = "/a"\nallow = "::1"', "pwb.toml line 1: allow '::1' is of the wrong type, not a list."),
    ('[[access]]\nfor = "/a"\nallow = [1]', "pwb.toml line 1: allow 1 is of the wrong type, not a string."),
    (
        '[[access]]\nfor = "/a"\nallow = ["10.0.0.1/8"]',
        "pwb.toml line 1: allow '10.0.0.1/8' has bits set behind its prefix; the network is 10.0.0.0/8.",
    ),
    (
        '[[access]]\nfor = "/a"\ndeny = ["x"]',
        "pwb.toml line 1: deny 'x' is not a network such as 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32.",
    ),
    (
        '[[access]]\nfor = "https://a.example/x"\ndeny = ["::1"]',
        'pwb.toml line 1: "https://a.example/x": access depends on the path alone, as a client may name any host.',
    ),
    ('[[access]]\nfor = "/a"\nuser = "u"', "pwb.toml line 1: unknown key 'user'."),
    ('[[headers]]\nfor = "/a"', "pwb.toml line 1: there is neither set nor unset."),
    ('[[headers]]\nfor = "/a"\nset = []', "pwb.toml line 1: set [] is of the wrong type, not a table."),
    ('[[headers]]\nfor = "/a"\nunset = "x"', "pwb.toml line 1: unset 'x' is of the wrong type, not a list."),
    ('[[headers]]\nfor = "/a"\nunset = [1]', "pwb.toml line 1: unset 1 is of the wrong type, not a string."),
    (
        '[[headers]]\nfor = "/a"\nset = { X = 1 }',
        "pwb.toml line 1: the value 1 of X is of the wrong type, not a string.",
    ),
    ('[[headers]]\nfor = "/a"\nset = { "X-é" = "ü" }', 'pwb.toml line 1: "X-é" is not the name of a field.'),
    ('\n[[headers]]\nfor = "/a"\nset = { Age = "1" }', "pwb.toml line 2: Age cannot be set: PWB sets it itself."),
]


@pytest.mark.parametrize(("text", "line"), TABLES)
def test_a_mistake_in_a_table_is_one_line(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert str(caught.value).startswith(line)


OPTIONS = [
    ("header", "X-A", "'X-A' is not a field such as 'X-Robots-Tag: noindex'."),
    ("header", "X A: 1", '"X A" is not the name of a field.'),
    ("header", ": 1", '"" is not the name of a field.'),
    ("header", "X-A: ", "X-A has no value."),
    ("header", "X-A: ü", "the value of X-A holds more than visible US-ASCII, spaces and tabs."),
    ("header", "Content-Length: 1", "Content-Length cannot be set: PWB sets it itself."),
    ("cors", "a.example", "'a.example' is not an origin such as https://a.example"),
    ("cors", "null", "'null' is not an origin"),
    ("cors", "https://a.example/", "is not an origin"),
    ("cors", "https://a.example:99999", "is not an origin"),
    ("cors", "https://u@a.example", "is not an origin"),
    ("cors", "ftp://a.example", "is not an origin"),
    ("security_headers", "lax", "'lax' is not one of 'basic', 'strict'."),
    ("cross_origin_isolated", "maybe", "'maybe' is not one of 'true', 'false'."),
    ("site_rules", "no", "'no' is not one of 'true', 'false'."),
    ("allow", "10.0.0.0/33", "'10.0.0.0/33' is not a network such as 10.0.0.0/8"),
    ("deny", "10.1.0.0/8", "'10.1.0.0/8' has bits set behind its prefix; the network is 10.0.0.0/8."),
    ("trusted_proxy", "any", "'any' is not a network such as 10.0.0.0/8"),
    ("trusted_proxy", "fe80::1%eth0", "'fe80::1%eth0' names an interface; a network has none."),
    ("allowed_host", "a.example:80", "'a.example:80' is not a host name without a port"),
    ("allowed_host", "*.a.example/", "is not a host name without a port"),
    ("proxy_protocol", "true", "it has no meaning without --trusted-proxy."),
]


@pytest.mark.parametrize(("option", "value", "reason"), OPTIONS)
def test_a_mistake_in_an_option_is_one_line(tmp_path: Path, option: str, value: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_options("pwb", [], {f"PWB_{option.upper()}": value}, tmp_path)
    assert str(caught.value).startswith(f"environment variable PWB_{option.upper()}: ")
    assert reason in str(caught.value)


def test_values_of_the_options(tmp_path: Path) -> None:
    environ = {
        "PWB_HEADER": "X-A: 1 2\nX-B:3",
        "PWB_CORS": "HTTPS://A.example:443 http://b.example:80 http://[::1]:8080 * https://c.example:8443",
    }
    options = read_options("pwb", ["--header", "Refresh: 5; url=/"], {"PWB_CORS": environ["PWB_CORS"]}, tmp_path)
    assert options.cors == ("https://a.example", "http://b.example", "http://[::1]:8080", "*", "https://c.example:8443")
    assert options.header == ((b"Refresh", b"5; url=/"),)
    assert read_options("pwb", [], environ, tmp_path).header == ((b"X-A", b"1 2"), (b"X-B", b"3"))


def test_rules_are_a_part_of_the_options(tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text('port = 1\n[[rewrites]]\nfrom = "/a"\nto = "/b"\n')
    options = read_options("pwb", [], {}, tmp_path)
    assert [rule.place for rule in options.rules.redirects] == ["pwb.toml line 2"]
    (tmp_path / "pwb.toml").write_text("redirect = 1\n")
    with pytest.raises(ConfigError, match=r"pwb.toml: unknown key 'redirect' \(did you mean 'redirects'\?\)"):
        read_options("pwb", [], {}, tmp_path)
