"""Several roots and sites as options: what is read, and each mistake as one line."""

from pathlib import Path

import pytest

from pwb_async.config.headers_file import parse_headers
from pwb_async.config.loader import read_options
from pwb_async.config.options import ConfigError, Options
from pwb_async.config.places import Place, all_directories, hidden_paths, places_of
from pwb_async.config.redirects_file import parse_redirects
from pwb_async.core.site.redirect_rules import RedirectRules
from tests.core.site.rule_requests import request_of


def read(folder: Path, *argv: str, toml: str = "", **environ: str) -> Options:
    if toml:
        (folder / "pwb.toml").write_text(toml, "utf-8")
    return read_options("pwb", argv, environ, folder)


def test_where_the_configuration_file_is_hidden_c7(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/a.toml").touch()
    (tmp_path / "link").symlink_to(".")
    (tmp_path / "pyproject.toml").write_text("[tool.other]")
    root = str(tmp_path)
    assert hidden_paths(root, read(tmp_path).config_file) == []
    (tmp_path / "pyproject.toml").write_text("[tool.pwb]")
    assert hidden_paths(root, read(tmp_path).config_file) == [b"pyproject.toml"]
    assert hidden_paths(root, read(tmp_path, "--config", "link/conf/a.toml").config_file) == [b"conf/a.toml"]
    (tmp_path / "pwb.toml").symlink_to("conf/a.toml")
    for directory in (root, f"{root}/link", f"{root}/"):
        assert hidden_paths(directory, read(tmp_path).config_file) == [b"conf/a.toml", b"pwb.toml"]
    assert hidden_paths(f"{root}/conf", read(tmp_path).config_file) == [b"a.toml"]
    assert hidden_paths("/", read(tmp_path).config_file)[0].endswith(b"/conf/a.toml")


def test_places_in_order(tmp_path: Path) -> None:
    options = read(tmp_path, "r", "--mount", "/a/b=x=y", "--mount", "/%c3%bc/=ü", "--mount=/=z", "--prefix", "/p%20q")
    assert places_of(options) == [Place(b"", "z"), Place("ü".encode(), "ü"), Place(b"p q", "r"), Place(b"a/b", "x=y")]
    assert all_directories(options) == ["z", "ü", "r", "x=y"]
    assert [str(mount) for mount in options.mount] == ["/a/b/=x=y", "/ü/=ü", "/=z"]
    assert read(tmp_path, PWB_MOUNT="/a/=b c\n/d/=e").mount == (("/a/", "b c"), ("/d/", "e"))
    assert places_of(read(tmp_path, "--dotfiles", "--mount", "/.x/=y"))[1] == Place(b".x", "y")
    assert places_of(read(tmp_path, "--mount", "/.well-known/x/=y"))[1] == Place(b".well-known/x", "y")
    assert places_of(read(tmp_path, "--mount", "/\udcff/=y"))[1] == Place(b"\xff", "y")


TOML = """
max_age = 5
prefix = "/p/"
mount = ["/m/=n"]
[[redirects]]
from = "/a"
to = "/b"
status = 301
[[sites]]
hosts = ["A.example.", "*.b.example", "[0:0::1]", "bücher.example"]
root = "a"
index = ["x"]
[[sites.redirects]]
from = "/c"
to = "/d"
status = 301
[[sites]]
hosts = ["c"]
root = "c"
max-age = 7
"""


def test_a_site_has_the_options_of_the_server_but_its_own_roots_and_rules(tmp_path: Path) -> None:
    options = read(tmp_path, "r", "--charset", "off", toml=TOML)
    a, c = options.sites
    assert a.hosts == (b"a.example", b"*.b.example", b"[::1]", b"xn--bcher-kva.example")
    assert (a.options.root, a.options.index, a.options.max_age, a.options.charset) == ("a", ("x",), 5, None)
    assert (a.options.prefix, a.options.mount, a.options.sites) == ("/", (), ())
    assert [rule.pattern.text for rule in a.options.rules.redirects] == ["/c"]
    assert (c.hosts, c.options.max_age, c.options.rules.redirects) == ((b"c",), 7, ())
    assert [rule.pattern.text for rule in options.rules.redirects] == ["/a"]
    assert all_directories(options) == ["r", "n", "a", "c"]


SITE = '[[sites]]\nhosts = ["a"]\nroot = "a"\n'


SITES: list[tuple[list[str], str, str]] = [
    (["--prefix", "docs"], "", "--prefix: 'docs' does not begin with a slash, as /docs/ does."),
    (["--prefix", ""], "", "--prefix: '' does not begin with a slash, as /docs/ does."),
    (["--prefix", "//x"], "", "--prefix: '//x' is not a path of names such as /docs/."),
    (["--prefix", "/a//b"], "", "--prefix: '/a//b' is not a path of names such as /docs/."),
    (["--prefix", "/a/../b"], "", "--prefix: '/a/../b' is not a path of names such as /docs/."),
    (["--prefix", "/a%2Fb"], "", "--prefix: '/a%2Fb' is not a path of names such as /docs/."),
    (["--prefix", "/a%00"], "", "--prefix: '/a%00' is not a path of names such as /docs/."),
    (["--prefix", "/a%zz"], "", "--prefix: '/a%zz' is not a path such as /docs/ or /my%20docs/."),
    (["--prefix", "/a?b"], "", "--prefix: '/a?b' is not a path such as /docs/ or /my%20docs/."),
    (
        ["--prefix", "/.git"],
        "",
        "--prefix: /.git/: names that begin with a dot are not served without --dotfiles.",
    ),
    (["--mount", "/docs/"], "", "--mount: '/docs/' is not a path and a directory such as /docs/=build/html."),
    (["--mount", "/docs/="], "", "--mount: '/docs/=' is not a path and a directory such as /docs/=build/html."),
    (["--mount", "docs=x"], "", "--mount: 'docs=x': 'docs' does not begin with a slash, as /docs/ does."),
    (["--mount", "/=x"], "", "--mount: /=x: 'static' is there already."),
    (["--mount", "/a=x", "--mount", "/a/=y"], "", "--mount: /a/=y: 'x' is there already."),
    (["--mount", "/a=x", "--prefix", "/a"], "", "--mount: /a/=x: 'static' is there already."),
    (
        ["--mount", "/x/.y=z"],
        "",
        "--mount: /x/.y/: names that begin with a dot are not served without --dotfiles.",
    ),
    ([], 'mount = "/a/=b"', "pwb.toml: mount: '/a/=b' is not a list."),
    ([], 'mount = ["/a/=b", "/a=c"]', "pwb.toml: mount: /a/=c: 'b' is there already."),
    (
        [],
        'prefix = "/.x/"',
        "pwb.toml: prefix: /.x/: names that begin with a dot are not served without --dotfiles.",
    ),
    ([], SITE + "zip_downloads = true", "pwb.toml: sites 1: zip_downloads: it has no meaning without --browse."),
    (["--strict-hosts"], "", "--strict-hosts: it has no meaning without [[sites]]."),
    ([], "strict_hosts = true", "pwb.toml: strict_hosts: it has no meaning without [[sites]]."),
    ([], "sites = 1", "pwb.toml: sites is not a list of tables: each begins with [[sites]]."),
    ([], "[sites]\na = 1", "pwb.toml: sites is not a list of tables: each begins with [[sites]]."),
    ([], "[[site]]", "pwb.toml: unknown key 'site' (did you mean 'sites'?)"),
    (
        [],
        '[[sites]]\nroot = "a"',
        'pwb.toml: sites 1: hosts is not a list of names such as ["a.example", "*.b.example"].',
    ),
    (
        [],
        '[[sites]]\nhosts = []\nroot = "a"',
        'pwb.toml: sites 1: hosts is not a list of names such as ["a.example", "*.b.example"].',
    ),
    *(
        (
            [],
            f'[[sites]]\nhosts = [{host}]\nroot = "a"',
            f"pwb.toml: sites 1: hosts: {shown} is not a host such as a.example or *.b.example, without a port.",
        )
        for host, shown in (
            ('"a:80"', "'a:80'"),
            ('"*"', "'*'"),
            ('"a.*"', "'a.*'"),
            ('"*.[::1]"', "'*.[::1]'"),
            ('"[::x]"', "'[::x]'"),
            ('"::1"', "'::1'"),
            ('"https://a"', "'https://a'"),
            ('"a..b"', "'a..b'"),
            ('""', "''"),
            ('"ü..b"', "'ü..b'"),
            ("1", "1"),
        )
    ),
    ([], SITE + SITE, "pwb.toml: sites 2: a is a host of pwb.toml: sites 1 already."),
    (
        [],
        '[[sites]]\nhosts = ["a", "A."]\nroot = "a"',
        "pwb.toml: sites 1: a is a host of pwb.toml: sites 1 already.",
    ),
    ([], '[[sites]]\nhosts = ["a"]', "pwb.toml: sites 1: root is missing."),
    ([], SITE + "port = 80", "pwb.toml: sites 1: port: it is an option of the server, not of a site."),
    (
        [],
        SITE + "strict_hosts = true",
        "pwb.toml: sites 1: strict_hosts: it is an option of the server, not of a site.",
    ),
    ([], SITE + "indx = []", "pwb.toml: sites 1: unknown key 'indx' (did you mean 'index'?)"),
    (
        [],
        SITE + "max_age = -1",
        "pwb.toml: sites 1: max_age: '-1' is not a time such as 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d.",
    ),
    ([], SITE + 'mount = ["/=x"]', "pwb.toml: sites 1: mount: /=x: 'a' is there already."),
    ([], SITE + "[[sites.sites]]\n", "pwb.toml: sites 1: a site has no sites of its own."),
    (
        [],
        SITE + '[[sites.redirects]]\nfrom = "x"\nto = "/y"\n',
        'pwb.toml: sites 1: redirects 1: "x": a path begins with "/".',
    ),
    (
        [],
        SITE + "redirects = 1\n",
        "pwb.toml: sites 1: redirects is not a list of tables: each begins with [[redirects]].",
    ),
]


@pytest.mark.parametrize(("argv", "toml", "line"), SITES)
def test_a_mistake_is_one_line(tmp_path: Path, argv: list[str], toml: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, *argv, toml=toml)
    assert str(caught.value) == line


def test_a_mount_outside_of_the_prefix_is_a_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    (tmp_path / "pwb.toml").write_text(
        f'mount = ["/p/in=x", "/docs/=y", "/=z"]\n{SITE}prefix = "/q"\nmount = ["/p=z"]\n'
    )
    read_options("pwb", ["--prefix", "/p"], {}, tmp_path, warnings.append)
    assert warnings == [
        "pwb.toml: sites 1: mount: /p/=z: it is outside of the prefix /q/",
        "pwb.toml: mount: /docs/=y: it is outside of the prefix /p/",
    ]


def test_files_of_rules_in_a_folder_that_is_mounted() -> None:
    content = b"/a /b 301\n/x/* https://other/:splat 302\nhttps://h/y /z 303\n/ /new 307\n/:n /n/:n?q=:n#f 308\n"
    rules = RedirectRules(parse_redirects("R", content, b"a:b/*c").rules)

    def leads(target: str) -> bytes | None:
        found = rules.otherwise(request_of(target))
        return getattr(found, "location", None)

    assert leads("/a:b/*c/a") == b"/a:b/*c/b".replace(b":", b"%3A").replace(b"*", b"%2A")
    assert leads("/a:b/*c/x/1/2") == b"https://other/1/2"
    assert leads("http://h/a:b/*c/y") == b"/a%3Ab/%2Ac/z"
    assert leads("/a:b/*c/") == leads("/a:b/*c") == b"/a%3Ab/%2Ac/new"
    assert leads("/a:b/*c/7") == b"/a%3Ab/%2Ac/n/7?q=7#f"
    assert [leads(target) for target in ("/a", "/x/1", "/", "/zz", "/a:b/a")] == [None] * 5
    content = b"/old /login?next=https://a.example/b 301\n/go/* /to/http://b.example/:splat 302\n"
    rules = RedirectRules(parse_redirects("R", content, b"docs").rules)
    assert leads("/docs/old") == b"/docs/login?next=https://a.example/b"
    assert leads("/docs/go/c") == b"/docs/to/http://b.example/c"
    (rule,) = parse_headers("H", b"/*\nX-A: :splat\n", b"d").rules
    assert rule.pattern is not None
    assert rule.pattern.text == "/d/*"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"/a //evil 301", 'R line 1: "//evil" would name another host; write "https://" for that.'),
        (b"/a /\\evil 301", 'R line 1: "/\\evil" would name another host; write "https://" for that.'),
        (b"https://h /b 301", 'R line 1: "https://h" has no path.'),
        (b"a /b 301", 'R line 1: "a": a path begins with "/".'),
    ],
)
def test_mistakes_in_a_folder_that_is_mounted(content: bytes, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_redirects("R", content, b"docs")
    assert str(caught.value) == line
