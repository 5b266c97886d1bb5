"""Keyword arguments: the names, values and checks of the command's options."""

import logging
from pathlib import Path
from typing import Any

import pytest

import pwb_async
from pwb_async.config.keywords import is_keyword, options_of
from pwb_async.config.loader import read_options
from pwb_async.config.option_types import PATH
from pwb_async.config.options import DECLARATIONS, Options
from pwb_async.embedding.keywords import settings_of
from tests.docs.options_page import default

NAMES = [name for name, option in DECLARATIONS.items() if is_keyword(option) and not option.positional]


def test_without_any_the_options_are_those_of_the_command(tmp_path: Path) -> None:
    assert options_of(str(tmp_path), {}) == read_options("pwb", [str(tmp_path)], {}, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_an_argument_whose_default_is_that_of_the_command(name: str) -> None:
    value = getattr(Options(), name)
    if not value and not isinstance(value, bool | int | float):
        value = None
    elif isinstance(value, tuple):
        value = list(value)
    elif DECLARATIONS[name].type.zero_word and not value:
        value = DECLARATIONS[name].type.zero_word
    assert default(DECLARATIONS[name]) is not None
    assert options_of("site", {name: value}) == Options(root="site")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"max_age": "1m", "cache": "16M"}, ["--max-age", "60", "--cache", "16777216"]),
        ({"header_timeout": 2.5, "grace_period": 0}, ["--header-timeout", "2.5", "--grace-period", "0"]),
        ({"spa": True, "site_rules": False}, ["--spa", "--no-site-rules"]),
        ({"index": ("a.html", "b.html")}, ["--index", "a.html", "--index", "b.html"]),
        ({"mount": ["/docs/=build"], "header": ["X-A: b"]}, ["--mount", "/docs/=build", "--header", "X-A: b"]),
        ({"workers": "auto", "loop": "asyncio"}, ["--workers", "auto", "--loop", "asyncio"]),
        ({"access_log": Path("a.log"), "max_age": None}, ["--access-log", "a.log"]),
        ({"tls_cert": [Path("a.pem")]}, ["--tls-cert", "a.pem"]),
    ],
)
def test_a_value_is_that_of_the_command_line(values: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    assert options_of("site", values) == read_options("pwb", ["site", *words], {}, tmp_path)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"port": 99999}, "argument port: 99999 is not in the range 0<=x<=65535."),
        ({"port": True}, "argument port: 'true' is not a valid integer."),
        ({"max_age": "soon"}, "argument max_age: 'soon' is not a time such as"),
        ({"host": 127}, "argument host: 127 is of the wrong type: it must be a string such as"),
        ({"header": "X-A: b"}, "argument header: 'X-A: b' is not a list."),
        ({"mount": ["/x/=a", "/x/=b"]}, "argument mount: /x/=b: 'a' is there already."),
        ({"unix_mode": "660"}, "argument unix_mode: it has no meaning without --unix."),
        ({"max_field": "64K"}, "max_field 65536 (argument max_field) is more than max_head 32768 (default)."),
        ({"config": 1}, "argument config: 1 is not a path."),
        ({"config": "no.toml"}, "no.toml: cannot be read: No such file or directory"),
        ({"strict_hosts": True}, "argument strict_hosts: it has no meaning without [[sites]]."),
    ],
)
def test_a_wrong_value_is_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(pwb_async.ConfigError) as caught:
        pwb_async.Server("site", **values)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("prot", " (did you mean 'port'?)"),
        ("mode", " (did you mean 'unix_mode'?)"),
        ("trigger", ""),
        ("max-age", " (did you mean 'max_age'?)"),
    ],
)
def test_an_option_that_is_none_of_pwb_is_a_type_error(name: str, hint: str) -> None:
    with pytest.raises(TypeError) as caught:
        options_of("site", {name: 1})
    assert str(caught.value) == f"there is no option {name!r}{hint}"


def test_the_environment_and_files_nearby_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWB_MAX_AGE", "60")
    monkeypatch.setenv("PWB_CONFIG", "other.toml")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pwb.toml").write_text("max-age = 5")
    assert options_of("site", {}) == Options(root="site")


def test_a_file_that_is_given_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text("""
max-age = 5
charset = "off"
mode = "x"
[[headers]]
for = "/a"
set = { X-A = "b" }
[[sites]]
hosts = ["b.test"]
root = "b"
""")
    with caplog.at_level(logging.WARNING, "pwb"):
        options = options_of("site", {"config": Path("my.toml"), "charset": "utf-8"})
    assert (options.root, options.max_age, options.charset) == ("site", 5, "utf-8")
    assert options.sites[0].options.root == "b"
    assert options.rules.headers
    assert "my.toml: mode" in caplog.text


@pytest.mark.parametrize(("name", "value"), [("workers", 2), ("workers", "auto"), ("user", "root"), ("sandbox", True)])
def test_what_concerns_the_process_is_refused_by_a_server_in_it(name: str, value: object) -> None:
    given: dict[str, Any] = {name: value}
    with pytest.raises(pwb_async.ConfigError, match=f"{name} is for serve"):
        pwb_async.Server("site", **given)
    with (
        pytest.raises(pwb_async.ConfigError, match=f"{name} is for serve"),
        pwb_async.running("site", **given),
    ):
        pass
    with pytest.raises(pwb_async.ConfigError, match="set handle_signals"):
        pwb_async.serve("site", **given)


def test_a_server_takes_the_loop_that_runs() -> None:
    with pytest.raises(pwb_async.ConfigError, match="argument loop: "):
        pwb_async.Server("site", loop="asyncio")


def test_none_stands_for_the_default(tmp_path: Path) -> None:
    none: dict[str, Any] = dict.fromkeys([*NAMES, "config", "guard", "observers"])
    assert settings_of(str(tmp_path), none) == settings_of(str(tmp_path), {})
    assert settings_of(str(tmp_path), {}).options == Options(root=str(tmp_path), port=0, access_log="off")
    assert settings_of(str(tmp_path), none, own_process=True).options == Options(root=str(tmp_path))


def test_the_types_know_which_options_are_paths() -> None:
    names = [name for name in NAMES if DECLARATIONS[name].type is PATH]
    hints = pwb_async.OptionValues.__annotations__
    assert names
    assert all("PathLike" in str(hints[name]) for name in names)


def test_a_file_counts_more_than_the_defaults_of_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text("port = 1234\nworkers = 2")
    assert settings_of("site", {"config": "my.toml", "workers": 1}).options.port == 1234
    with pytest.raises(pwb_async.ConfigError, match="workers is for serve"):
        pwb_async.Server("site", config="my.toml")


@pytest.mark.parametrize("name", ["profile", "quiet", "open", "qr"])
def test_an_option_for_a_terminal_is_no_keyword(name: str) -> None:
    with pytest.raises(TypeError, match=f"the option '{name}' is for the command alone"):
        options_of(".", {name: True})
