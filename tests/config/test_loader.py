"""The options as read from the command line, the environment and TOML files (pwb_async/config)."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import FrozenInstanceError
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import pwb_async.__main__
import pwb_legacy.__main__
from pwb_async.config import command_line
from pwb_async.config.declarations import Declaration
from pwb_async.config.loader import read_options
from pwb_async.config.modes import MODES
from pwb_async.config.options import DECLARATIONS, ConfigError, Options

Read = Callable[..., Options]
Capture = pytest.CaptureFixture[str]
Started = Callable[..., tuple[object, str, str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """A function that reads options in an empty directory, in which it writes `toml` to pwb.toml."""

    def read(
        *argv: str,
        toml: str = "",
        environ: Mapping[str, str] | None = None,
        program: str = "pwb",
    ) -> Options:
        if toml:
            (tmp_path / "pwb.toml").write_text(toml, "utf-8")
        return read_options(program, argv, environ or {}, tmp_path)

    return read


def refused(read: Read, *argv: str, **sources: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(*argv, **sources)
    return str(caught.value)


# -- the four sources ------------------------------------------------------------------------------

SOURCES = [
    # name, TOML and its value, environment and its value, command line and its value
    ("root", 'root = "f"', "f", "e", "e", ["c"], "c"),
    ("host", 'host = "::1"', "::1", "::2", "::2", ["--host", "::3"], "::3"),
    ("port", "port = 1", 1, "2", 2, ["--port", "3"], 3),
    ("port", "port = 1", 1, "2", 2, ["--port=0"], 0),
    ("unix_mode", 'unix-mode = "600"', "600", "0660", "660", ["--unix-mode", "606"], "606"),
    ("unix_group", 'unix-group = "33"', "33", "www-data", "www-data", ["--unix-group", "0"], "0"),
    ("index", 'index = ["f", "g"]', ("f", "g"), "e f", ("e", "f"), ["--index", "c d"], ("c d",)),
    ("index", "index = []", (), " ", (), ["--index", "c", "--index", "d"], ("c", "d")),
    ("max_age", "max-age = 1", 1, "2", 2, ["--max-age", "0"], 0),
    ("server_version", "server_version = true", True, "true", True, ["--no-server-version"], False),
    ("server_version", "server_version = true", True, "false", False, ["--server-version"], True),
    ("access_log", 'access_log = "off"', "off", "-", "-", ["--access-log", "a b"], "a b"),
    ("loop", 'loop = "asyncio"', "asyncio", "uvloop", "uvloop", ["--loop", "asyncio"], "asyncio"),
    ("grace_period", "grace_period = 1.5", 1.5, "2m", 120.0, ["--grace-period", "0"], 0.0),
    ("max_head", 'max_head = "1M"', 1 << 20, "64K", 1 << 16, ["--max-head", "9000"], 9000),
    (
        *("type", 'type = ["a/*=text/html; charset=x"]', (("a/*", b"text/html; charset=x"),)),
        *('a=b=c/d *=t/*;p="q=r"', (("a=b", b"c/d"), ("*", b't/*;p="q=r"'))),
        *(["--type", "a b=c/d", "--type", "\udcff=c/d"], (("a b", b"c/d"), ("\udcff", b"c/d"))),
    ),
    (
        *("type", 'type = ["a=b/c"]', (("a", b"b/c"),)),
        *(
            '*.a=text/html; charset=x *.b=b/c;\tp="q; r s" ;=d/e',
            (("*.a", b"text/html; charset=x"), ("*.b", b'b/c;\tp="q; r s"'), (";", b"d/e")),
        ),
        *(["--type", "a=b/c"], (("a", b"b/c"),)),
    ),
    (
        *("type", "type = []", (), "a=b/c; d=e/f;", (("a", b"b/c;"), ("d", b"e/f;"))),
        *(["--type", "a=b/c"], (("a", b"b/c"),)),
    ),
    ("charset", 'charset = "off"', None, "EUC-KR", "EUC-KR", ["--charset", "Off"], None),
    ("serve_encoded", "serve-encoded = true", True, "false", False, ["--serve-encoded"], True),
    ("max_ranges", "max_ranges = 1", 1, "2", 2, ["--max-ranges", "3"], 3),
]


@pytest.mark.parametrize("row", SOURCES, ids=lambda row: row[0])
@pytest.mark.parametrize("sources", list(product([False, True], repeat=3)), ids=str)
def test_the_strongest_source_wins(read: Read, row: tuple[Any, ...], sources: tuple[bool, bool, bool]) -> None:
    name, toml, in_file, text, in_environment, argv, in_argv = row
    in_toml, in_environ, on_line = sources
    options = read(
        *(argv if on_line else ()),
        toml=toml if in_toml else "",
        environ=({"PWB_UNIX": "s"} if name.startswith("unix_") else {})
        | ({f"PWB_{name.upper()}": text} if in_environ else {}),
    )
    ranked = [(on_line, in_argv), (in_environ, in_environment), (in_toml, in_file)]
    expected = next((value for here, value in ranked if here), getattr(Options(), name))
    assert getattr(options, name) == expected
    assert type(getattr(options, name)) is type(expected)


def test_without_any_source_all_options_have_their_defaults(read: Read) -> None:
    assert read() == read(program="pwb-legacy") == Options()


def test_each_option_may_have_another_source(read: Read) -> None:
    options = read("site", "--port", "1", toml="max_age = 3", environ={"PWB_HOST": "::1"})
    assert options == Options(root="site", port=1, host="::1", max_age=3)


def test_an_empty_variable_counts_as_absent(read: Read) -> None:
    options = read(toml="port = 1", environ={"PWB_PORT": "", "PWB_INDEX": "", "PWB_CONFIG": ""})
    assert options == Options(port=1)


def test_options_are_frozen_and_keyword_only() -> None:
    with pytest.raises(FrozenInstanceError):
        Options().port = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        Options("site")  # type: ignore[call-arg]


@pytest.mark.parametrize("option", DECLARATIONS.values(), ids=lambda option: option.name)
def test_every_declaration_is_complete_and_its_default_is_accepted(read: Read, option: Declaration) -> None:
    assert option.help.endswith((".", ")"))
    assert option.program in ("", "pwb", "pwb-legacy")
    needed = {each.partition("=")[0] for each in option.needs.split("|")}
    assert {option.at_most, *needed} <= {"", *DECLARATIONS}
    default = option.default
    assert default == getattr(Options(), option.name)
    text = " ".join(default) if isinstance(default, tuple) else str(default).lower()
    if default is not None:
        assert read(environ={f"PWB_{option.name.upper()}": text}) == Options()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("workers", 0, "auto"),
        ("workers", 3, "3"),
        ("cache", 0, "off"),
        ("cache", 64 << 20, "64M"),
        ("max_head", 8190, "8190"),
        ("min_send_rate", 0, "0"),
        ("idle_timeout", 1.5, "1.5s"),
        ("grace_period", 0.0, "0s"),
        ("charset", None, "off"),
        ("max_age", None, "not set"),
        ("max_age", 0, "0"),
        ("unix", None, "not set"),
        ("sandbox", False, "off"),
        ("sandbox", True, "on"),
    ],
)
def test_a_value_in_a_message_is_as_the_user_writes_it(name: str, value: object, text: str) -> None:
    assert DECLARATIONS[name].type.format(value) == text


# -- the types of values ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10", 10.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("500ms", 0.5),
        ("500 ms", 0.5),
        ("10s", 10.0),
        ("2m", 120.0),
        ("1.5h", 5400.0),
        ("2d", 172800.0),
        ("2000000", 2e6),
        ("0.1000000000000000055", 0.1),
    ],
)
def test_seconds(read: Read, text: str, seconds: float) -> None:
    assert read("--idle-timeout", text).idle_timeout == seconds
    assert read(toml=f"idle-timeout = '{text}'").idle_timeout == seconds
    assert isinstance(read("--idle-timeout", text).idle_timeout, float)


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "inf",
        "-inf",
        "-1",
        "-0.5",
        "+1",
        "1e3",
        "1_0",
        "ten",
        "10x",
        "10S",
        "2M",
        "1w",
        "s",
        ".",
        "1.",
        "1,5",
        "0x10",
        "\u0663",
        "0",
        "0.0",
        "0ms",
        "2000001",
        "600h",
        "",
        " ",
        " 1",
        "1\n",
        "9" * 400,
        "9" * 5000,
    ],
)
def test_text_that_is_not_a_time(read: Read, text: str) -> None:
    line = refused(read, "--idle-timeout", text)
    assert line.startswith("--idle-timeout: ")
    assert "is not a time such as" in line or "is not above 0 and at most 2000000 seconds" in line


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("10s", 10), ("10m", 600), ("1h", 3600), ("1.5h", 5400), ("365d", 31536000), ("2147483647", 2**31 - 1)],
)
def test_an_age(read: Read, text: str, seconds: int) -> None:
    age = read("--max-age", text).max_age
    assert (age, type(age)) == (seconds, int)
    assert read(toml=f"max-age = '{text}'").max_age == seconds


def test_only_the_grace_period_may_be_zero(read: Read) -> None:
    assert read("--grace-period", "0").grace_period == read("--grace-period", "0ms").grace_period == 0.0
    assert "not above 0" in refused(read, "--header-timeout", "0")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("8190", 8190),
        ("32K", 32768),
        ("32KiB", 32768),
        ("32 KiB", 32768),
        ("1M", 1 << 20),
        ("1MiB", 1 << 20),
        ("3G", 3 << 30),
        ("1GiB", 1 << 30),
    ],
)
def test_size(read: Read, text: str, size: int) -> None:
    assert read("--max-content", text).max_content == size
    assert read(environ={"PWB_MAX_CONTENT": text}).max_content == size


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0K",
        "-1",
        "+1",
        "1.5K",
        "1KB",
        "1kB",
        "1B",
        "K",
        "KiB",
        "1T",
        "1e3",
        "1_000",
        "0x10",
        "ten",
        "inf",
        "nan",
        "\u0663",
        "",
        " 1",
        "1\n",
        "9" * 16,
        "9" * 5000,
    ],
)
def test_text_that_is_not_a_size(read: Read, text: str) -> None:
    line = refused(read, "--max-content", text)
    assert line.startswith("--max-content: ")
    assert "is not a size above 0 such as" in line


# -- what is refused, and how the line names its place ---------------------------------------------

COMMAND_LINE = [
    (["--log-sample", "101"], "--log-sample: 101 is not in the range 0<=x<=100."),
    (["--log-sample", "0.5"], "--log-sample: '0.5' is not a valid integer."),
    (["--log-exclude", "healthz"], '--log-exclude: \'healthz\' is not a pattern: "healthz": a path begins with "/".'),
    (["--log-exclude", "https://a/b"], "--log-exclude: 'https://a/b' has a host."),
    (["--port", "x"], "--port: 'x' is not a valid integer."),
    (["--port", "65536"], "--port: 65536 is not in the range 0<=x<=65535."),
    (["--port", "-1"], "--port: -1 is not in the range 0<=x<=65535."),
    (["--unix-mode", "668"], "--unix-mode: '668' is not a mode of three octal digits such as 660."),
    (["--unix-mode", "1660"], "--unix-mode: '1660' is not a mode of three octal digits such as 660."),
    (["--unix-mode", "rw"], "--unix-mode: 'rw' is not a mode of three octal digits such as 660."),
    (["--unix-group", ""], "--unix-group: '' is empty."),
    (["--unix-mode", "660"], "--unix-mode: it has no meaning without --unix."),
    (["--unix-group", "g"], "--unix-group: it has no meaning without --unix."),
    (["--unix", "s", "--port", "80"], "--port: it has no meaning with --unix."),
    (["--unix", "s", "--port-fallback"], "--port-fallback: it has no meaning with --unix."),
    (["--port"], "--port: its value is missing: --port PORT"),
    (["--prot", "1"], "--prot: no such option (did you mean '--port'?)"),
    (["--por", "1"], "--por: no such option (did you mean '--port'?)"),
    (["--max_age", "1"], "--max_age: no such option (did you mean '--max-age'?)"),
    (["--mode", "fixed"], "--mode: no such option (it is an option of pwb-legacy)"),
    (["--root", "x"], "--root: no such option (the directory has no name: pwb DIRECTORY)"),
    (["--loop", "x"], "--loop: 'x' is not one of 'uvloop', 'asyncio'."),
    (["--loop", "UVLOOP"], "--loop: 'UVLOOP' is not one of 'uvloop', 'asyncio'."),
    (["--server-version=true"], "--server-version: it takes no value: --server-version or --no-server-version"),
    (["--index", "a/b"], "--index: 'a/b' is not the name of a file."),
    (["--index", "ok", "--index", ".."], "--index: '..' is not the name of a file."),
    (["--index", ""], "--index: '' is empty."),
    (["--index", "a\0b"], r"--index: 'a\x00b' holds a NUL."),
    (["--host", ""], "--host: '' is empty."),
    ([""], "ROOT: '' is empty."),
    (
        ["a", "b\nc"],
        r"Got unexpected extra argument (b\nc): ROOT is one directory; --mount /docs/=DIRECTORY serves another one, too",
    ),
    (["--max-fields", "0"], "--max-fields: 0 is not in the range x>=1."),
    (["--max-age", "1.5"], "--max-age: '1.5' is not a whole number of seconds from 0 to 2147483647."),
    (["--max-age", "500ms"], "--max-age: '500ms' is not a whole number of seconds from 0 to 2147483647."),
    (["--max-age", "24856d"], "--max-age: '24856d' is not a whole number of seconds from 0 to 2147483647."),
    (["--max-age", "-1"], "--max-age: '-1' is not a time such as 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d."),
    (["--config", ""], "--config: '' is empty."),
    (["--config", "no.toml"], "no.toml: cannot be read: No such file or directory"),
    (["--config", "."], ".: cannot be read: Is a directory"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="the system's own words differ")
@pytest.mark.parametrize(("argv", "line"), COMMAND_LINE, ids=repr)
def test_refused_on_the_command_line(read: Read, argv: list[str], line: str) -> None:
    assert refused(read, *argv) == line


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "=a/b", "a=", "a=b", "a=b/", "a=/b", "a=b/c/d", "a=b /c", "a=b/c;d", "a=b/c; d = e", 'a=b/c;d="'),
        *("a=b/c\n", "a=b/c; d=\r\nX: y", "a=b/\xf6", "a=b/c;d=\udcff", "*.js= text/javascript"),
    ],
)
def test_text_that_is_not_a_media_type(read: Read, text: str) -> None:
    """RFC 9110 8.3.1."""
    assert " is not a glob and a media type such as " in refused(read, "--type", text)


@pytest.mark.parametrize("text", ["", "a b", "utf-8;", '"utf-8"', "utf\n8", "\xf6"])
def test_text_that_is_not_a_charset(read: Read, text: str) -> None:
    """A charset is a token (RFC 9110 8.3.2)."""
    assert refused(read, "--charset", text).endswith(" is not the name of a charset such as utf-8, nor off.")


ENVIRONMENT = [
    ("PWB_PORT", "x", "'x' is not a valid integer."),
    (
        "PWB_MODE",
        "x",
        "'x' is not one of 'fixed', 'single', 'thread', 'process', 'gevent', 'epoll'",
    ),
    ("PWB_SERVER_VERSION", "1", "'1' is not one of 'true', 'false'."),
    ("PWB_INDEX", "a b/c", "'b/c' is not the name of a file."),
    ("PWB_GRACE_PERIOD", "-1", "'-1' is not a time such as 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d."),
    ("PWB_PORT", "tcp:10.0.0.11:80", "'tcp:10.0.0.11:80' is not a valid integer."),
    ("PWB_TYPE", "a=b/c; d", "'d' is not a glob and a media type"),
]


@pytest.mark.parametrize(("name", "text", "words"), ENVIRONMENT)
def test_refused_in_the_environment(read: Read, name: str, text: str, words: str) -> None:
    program = DECLARATIONS[name.removeprefix("PWB_").lower()].program or "pwb"
    assert refused(read, environ={name: text}, program=program).startswith(f"environment variable {name}: {words}")


@pytest.mark.parametrize(
    ("program", "variable", "toml"),
    [
        ("pwb", "PWB_MODE", 'mode = "production"'),
        ("pwb", "PWB_TRIGGER", "trigger = 1"),
        ("pwb-legacy", "PWB_CACHE", "cache = false"),
        ("pwb-legacy", "PWB_WORKERS", "workers = []"),
    ],
)
def test_a_wrong_value_of_an_option_of_the_other_program_is_a_warning(
    tmp_path: Path, program: str, variable: str, toml: str
) -> None:
    """The program has no such option, so it can start."""
    name = variable.removeprefix("PWB_").lower()
    warnings: list[str] = []
    assert read_options(program, [], {variable: "production"}, tmp_path, warnings.append) == Options()
    line = warnings.pop()
    assert warnings == []
    assert line.startswith(f"environment variable {variable}: 'production' is not ")
    assert line.endswith(f". It is ignored: {program} has no --{name}")
    assert "\n" not in line
    (tmp_path / "pwb.toml").write_text(toml)
    assert read_options(program, [], {}, tmp_path, warnings.append) == Options()
    assert warnings.pop().startswith(f"pwb.toml: {name}: ")
    other = "pwb-legacy" if program == "pwb" else "pwb"
    assert read_options(other, [], {variable: ""}, "/", warnings.append) == Options()
    assert warnings == []


@pytest.mark.parametrize(
    ("variable", "text", "hint"),
    [
        ("PWB_PROT", "1", " (did you mean 'PWB_PORT'?)"),
        ("PWB_port", "1", " (did you mean 'PWB_PORT'?)"),
        ("PWB_QQQ", "", ""),
        ("PWB_", "1", ""),
        ("PWB_SESSION_HELPER", "1", ""),
        ("PWB_DOCS_PORT", "80", " (did you mean 'PWB_PORT'?)"),
        ("PWB_SERVICE", "1", ""),
    ],
)
def test_an_unknown_variable_is_a_warning(tmp_path: Path, variable: str, text: str, hint: str) -> None:
    """The variable may be meant for another program."""
    warnings: list[str] = []
    environ = {variable: text, "PWB_PORT": "1"}
    assert read_options("pwb", [], environ, tmp_path, warnings.append) == Options(port=1)
    assert warnings == [f"environment variable {variable}: no such option{hint}; it is ignored"]


SERVICES = [
    # Service, protocol, address, port, name of its port
    ("PWB", "TCP", "10.0.0.11", "80", ""),
    ("PWB", "UDP", "fd00::11", "443", "HTTP"),
    ("PWB_DOCS", "SCTP", "10.0.0.11", "65535", "WEB_1"),
    ("PWB_PORT", "TCP", "10.0.0.11", "80", "PORT"),
    ("PWB_MAX", "TCP", "10.0.0.11", "80", "AGE"),
]


def service(name: str, protocol: str, address: str, port: str, port_name: str) -> dict[str, str]:
    """The variables by which Kubernetes describes a Service to a container."""
    url = f"{protocol.lower()}://{f'[{address}]' if ':' in address else address}:{port}"
    place = f"{name}_PORT_{port}_{protocol}"
    variables = {f"{name}_SERVICE_HOST": address, f"{name}_SERVICE_PORT": port, f"{name}_PORT": url, place: url}
    parts = {f"{place}_PROTO": protocol.lower(), f"{place}_PORT": port, f"{place}_ADDR": address}
    return variables | parts | ({f"{name}_SERVICE_PORT_{port_name}": port} if port_name else {})


@pytest.mark.parametrize("row", SERVICES, ids=lambda row: row[0])
def test_services_of_kubernetes_are_ignored_with_one_line(tmp_path: Path, row: tuple[str, str, str, str, str]) -> None:
    (tmp_path / "pwb.toml").write_text("port = 5")
    variables = service(*row)
    warnings: list[str] = []
    assert read_options("pwb", [], variables, tmp_path, warnings.append) == Options(port=5)
    (line,) = warnings
    assert line.startswith(f"environment: {row[0]}_PORT, ")
    assert line.endswith(f" and {len(variables) - 3} more describe a Service of Kubernetes and are ignored")
    assert "\n" not in line
    assert read_options("pwb", [], variables | {"PWB_MAX_AGE": "3"}, tmp_path) == Options(port=5, max_age=3)


@pytest.mark.parametrize("name", DECLARATIONS)
def test_no_option_but_the_port_has_the_name_of_a_variable_of_kubernetes(read: Read, name: str) -> None:
    """PWB_PORT may be either; its value decides."""
    warned: list[str] = []
    text = "auto tcp://h:1" if name == "port" else "tcp://h:1"
    with suppress(ConfigError):
        read_options(DECLARATIONS[name].program or "pwb", [], {f"PWB_{name.upper()}": text}, "/", warned.append)
    assert warned == []


def test_variables_without_the_prefix_are_ignored_silently(read: Read) -> None:
    assert read(environ={"PWBX": "1", "XPWB_PORT": "1", "HOST": "x", "PWB": "1"}) == Options()


@pytest.mark.parametrize(
    ("argv", "environ", "toml", "port"),
    [
        ((), {"PORT": "1"}, "", 1),
        ((), {"PORT": ""}, "", 8888),
        (("--port", "2"), {"PORT": "x"}, "", 2),
        ((), {"PORT": "x", "PWB_PORT": "3"}, "", 3),
        ((), {"PORT": "x"}, "port = 4", 4),
        ((), {"PORT": "1", "PWB_PORT": "tcp://10.0.0.11:80"}, "", 1),
    ],
)
def test_the_port_of_a_platform_counts_where_no_port_is_given(
    read: Read, argv: tuple[str, ...], environ: dict[str, str], toml: str, port: int
) -> None:
    assert read(*argv, environ=environ, toml=toml).port == port


def test_a_wrong_port_of_a_platform_is_refused(read: Read) -> None:
    line = refused(read, environ={"PORT": "http"})
    assert line == "environment variable PORT: 'http' is not a valid integer."


FILE = [
    ("prot = 1", "unknown key 'prot' (did you mean 'port'?)"),
    ("max-agee = 1", "unknown key 'max-agee' (did you mean 'max-age'?)"),
    ("config = 'x'", "unknown key 'config'"),
    ('"a\\nb" = 1', "unknown key 'a\\nb'"),
    ("[http]\nport = 1", "unknown key 'http' (did you mean 'http2'?)"),
    ("port = 'x'", "port: 'x' is not a valid integer."),
    ("port = true", "port: 'true' is not a valid integer."),
    ("port = 8.5", "port: '8.5' is not a valid integer."),
    ("port = 65536", "port: 65536 is not in the range 0<=x<=65535."),
    ("port = [1]", "port: [1] is of the wrong type."),
    ("port = {a = 1}", "port: {'a': 1} is of the wrong type."),
    ("port = 2020-01-02", "port: datetime.date(2020, 1, 2) is of the wrong type."),
    ("root = 1", "root: 1 is of the wrong type: it must be a string such as \"a/path\"."),
    ("host = true", "host: True is of the wrong type: it must be a string such as \"127.0.0.1\"."),
    ("access-log = false", "access-log: False is of the wrong type: it must be a string such as \"a/path\"."),
    ("charset = false", "charset: False is of the wrong type: it must be a string such as \"off\"."),
    ("charset = 8859", "charset: 8859 is of the wrong type: it must be a string such as \"off\"."),
    ("etag = false", "etag: False is of the wrong type: it must be a string such as \"auto\"."),
    ("loop = 1", "loop: 1 is of the wrong type: it must be a string such as \"uvloop\"."),
    ("type = [1]", "type: 1 is of the wrong type: it must be a string such as \"*.geo=application/json\"."),
    ("cache = false", "cache: 'false' is not a size above 0 such as 8190, 32K, 32KiB, 1M or 1GiB."),
    ("workers = true", "workers: 'true' is not a valid integer."),
    ("unix = 1", "unix: 1 is of the wrong type: it must be a string such as \"a/path\"."),
    ("unix-mode = 660", "unix-mode: 660 is of the wrong type: it must be a string such as \"660\"."),
    ("unix-group = 33", "unix-group: 33 is of the wrong type: it must be a string such as \"www-data\"."),
    ("unix-group = '33'", "unix-group: it has no meaning without --unix."),
    ("index = []\nspa = true", "spa: it has no meaning without --index."),
    ('root = "a\\u0000b"', "root: 'a\\x00b' holds a NUL."),
    ("index = 'a'", "index: 'a' is not a list."),
    ("index = ['a', 1]", "index: 1 is of the wrong type: it must be a string such as \"index.html\"."),
    ("index = ['a/b']", "index: 'a/b' is not the name of a file."),
    ("server_version = 1", "server_version: '1' is not one of 'true', 'false'."),
    ("server_version = 'yes'", "server_version: 'yes' is not one of 'true', 'false'."),
    ("grace_period = inf", "grace_period: 'inf' is not a time such as 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d."),
    ("grace_period = nan", "grace_period: 'nan' is not a time such as 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d."),
    ("grace_period = true", "grace_period: 'true' is not a time such as 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d."),
    ("max_head = -1", "max_head: '-1' is not a size above 0 such as 8190, 32K, 32KiB, 1M or 1GiB."),
    ("unix-mode = 0o660", "unix-mode: 432 is of the wrong type: it must be a string such as \"660\"."),
    ("etag = 'x'", "etag: 'x' is not one of 'auto', 'content', 'mtime'."),
    ("max-age = 1\nmax_age = 1", "'max-age' and 'max_age' are the same key."),
]  # fmt: skip


@pytest.mark.parametrize("toml", ["port", "port = 1\nport = 1", "= 1", '"', "port = " + "[" * 100_000])
def test_broken_toml(read: Read, toml: str) -> None:
    line = refused(read, toml=toml)
    assert line.startswith("pwb.toml: cannot be read: ")
    assert line.isprintable()


@pytest.mark.parametrize(("toml", "line"), FILE, ids=repr)
def test_refused_in_the_file(read: Read, toml: str, line: str) -> None:
    assert refused(read, toml=toml) == f"pwb.toml: {line}"


def test_a_value_that_is_overridden_need_not_be_valid(read: Read) -> None:
    assert read("--port", "1", environ={"PWB_PORT": "x"}) == Options(port=1)
    assert read("--port", "1", toml="port = 'x'") == Options(port=1)
    assert read(environ={"PWB_PORT": "1"}, toml="port = 'x'") == Options(port=1)
    assert read("--index", "a", environ={"PWB_INDEX": "b/c"}, toml="index = 3") == Options(index=("a",))
    assert refused(read, environ={"PWB_PORT": "x"}, toml="port = 1").startswith("environment variable PWB_PORT: ")
    assert refused(read, environ={"PWB_PORT": ""}, toml="port = 'x'").startswith("pwb.toml: port: ")
    assert refused(read, "--port", "1", toml="port = 1\nprot = 1").startswith("pwb.toml: unknown key")


BOUNDS = [
    (["--max-head", "8K"], {}, "", None),
    (["--max-head", "8190"], {}, "", None),
    (
        ["--max-head", "8189"],
        {},
        "",
        "max_request_line 8190 (default) is more than max_head 8189 (--max-head).",
    ),
    (
        [],
        {"PWB_MAX_REQUEST_LINE": "1M"},
        "max-head = '64K'",
        "max_request_line 1048576 (environment variable PWB_MAX_REQUEST_LINE)"
        " is more than max_head 65536 (pwb.toml: max-head).",
    ),
    (["--max-field", "32769"], {}, "", "max_field 32769 (--max-field) is more than max_head 32768"),
]


@pytest.mark.parametrize(("argv", "environ", "toml", "line"), BOUNDS)
def test_an_option_may_be_the_upper_bound_of_another(
    read: Read, argv: list[str], environ: dict[str, str], toml: str, line: str | None
) -> None:
    if line is None:
        assert read(*argv, environ=environ, toml=toml)
    else:
        assert refused(read, *argv, environ=environ, toml=toml).startswith(line)


def test_a_unix_socket_stands_in_place_of_the_port_of_a_weaker_source(read: Read) -> None:
    assert read("--unix", "s", environ={"PWB_PORT": "1", "PORT": "2"}, toml="port = 3").unix == "s"
    assert read("--unix", "s", "--no-port-fallback", "--profile", "dev").unix == "s"
    assert read(environ={"PWB_UNIX": "s", "PORT": "2"}, toml="port = 3").unix == "s"
    line = "--port: it has no meaning with environment variable PWB_UNIX."
    assert refused(read, "--port", "1", environ={"PWB_UNIX": "s"}) == line
    assert refused(read, toml="port = 3\nunix = 's'").endswith("it has no meaning with pwb.toml: unix.")


# -- both programs ---------------------------------------------------------------------------------


def test_one_file_serves_both_programs(read: Read) -> None:
    toml = 'port = 1\nloop = "asyncio"\nmode = "epoll"\ntrigger = "level"'
    expected = Options(port=1, loop="asyncio", mode="epoll", trigger="level")
    assert read(toml=toml) == read(program="pwb-legacy") == expected


@pytest.mark.parametrize(
    ("program", "argv"),
    [("pwb", ["--loop", "asyncio"]), ("pwb-legacy", ["--mode", "epoll", "--trigger", "level"])],
)
def test_a_program_refuses_the_options_of_the_other_one(read: Read, program: str, argv: list[str]) -> None:
    assert read(*argv, program=program) != Options()
    other = "pwb" if program == "pwb-legacy" else "pwb-legacy"
    assert refused(read, *argv, program=other).startswith(f"{argv[0]}: no such option")


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "epoll"])
def test_trigger_belongs_to_mode_epoll(read: Read, mode: str) -> None:
    """The reason is one line, wherever the option was found; pwb ignores it."""
    line = "it has no meaning without --mode epoll."
    for trigger in ("edge", "level", "oneshot"):
        given = ("--mode", mode, "--trigger", trigger)
        assert refused(read, *given, program="pwb-legacy") == f"--trigger: {line}"
        toml = f'mode = "{mode}"\ntrigger = "{trigger}"'
        assert refused(read, toml=toml, program="pwb-legacy") == f"pwb.toml: trigger: {line}"
        assert read(toml=toml).mode == mode
        assert read("--mode", "epoll", toml=toml, program="pwb-legacy").trigger == trigger
    assert refused(read, "--trigger", "level", program="pwb-legacy") == f"--trigger: {line}"


def test_every_mode_is_accepted(read: Read) -> None:
    for mode in MODES:
        assert read("--mode", mode, program="pwb-legacy").mode == mode


# -- which file ------------------------------------------------------------------------------------


def test_the_file_that_is_read(tmp_path: Path) -> None:
    def port(*argv: str, **environ: str) -> int:
        return read_options("pwb", argv, environ, tmp_path).port

    assert port() == 8888
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nx = 1\n[project]\nname = 'x'")
    assert port() == 8888
    (tmp_path / "pyproject.toml").write_text("[tool.pwb]\nport = 1\n[project]\nname = 'x'")
    assert port() == 1
    (tmp_path / "pwb.toml").write_text("")
    assert port() == 8888
    (tmp_path / "pwb.toml").write_text("port = 2")
    assert port() == 2
    (tmp_path / "a.toml").write_text("port = 3")
    (tmp_path / "b.toml").write_text("port = 4")
    assert port(PWB_CONFIG="a.toml") == 3
    assert port("--config", "b.toml", PWB_CONFIG="a.toml") == 4
    assert port("--config", str(tmp_path / "a.toml")) == 3
    assert port("--config", "pyproject.toml") == 1


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("[tool.pwb]\nprot = 1", " [tool.pwb]: unknown key 'prot' (did you mean 'port'?)"),
        ("[tool.pwb]\nport = 'x'", " [tool.pwb]: port: 'x' is not a valid integer."),
        ("[tool]\npwb = 1", ": [tool.pwb] is not a table."),
        ("[[tool.pwb]]", ": [tool.pwb] is not a table."),
        ("[tool.pwb", ": cannot be read: Expected ']' at the end of a table declaration (at end of "),
    ],
)
def test_refused_in_pyproject_toml(read: Read, tmp_path: Path, toml: str, line: str) -> None:
    (tmp_path / "pyproject.toml").write_text(toml)
    assert refused(read).startswith(f"pyproject.toml{line}")


def test_a_file_that_is_not_utf_8(read: Read, tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_bytes(b"port = '\xff'")
    assert refused(read).startswith("pwb.toml: cannot be read: 'utf-8' codec can't decode")


# -- the programs ----------------------------------------------------------------------------------


PROGRAMS = {"pwb": pwb_async.__main__.main, "pwb-legacy": pwb_legacy.__main__.main}


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Capture) -> Started:
    """A function that runs a program that ends at once; returns exit status, standard output and standard error."""

    def start(program: str, *argv: str, **environ: str) -> tuple[object, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [program, *argv])
        for name, text in environ.items():
            monkeypatch.setenv(name, text)
        with pytest.raises(SystemExit) as caught:
            PROGRAMS[program]()
        return caught.value.code, *capfd.readouterr()

    return start


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_wrong_option_is_one_line_and_status_2(program: str, started: Started) -> None:
    line = f"{program}: environment variable PWB_PORT: 'x' is not a valid integer.\n"
    assert started(program, PWB_PORT="x") == (2, "", line)


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_thing_that_is_ignored_is_one_line(program: str, started: Started, tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text("port = 'x'")
    status, out, err = started(program, PWB_PROT="1")
    assert (status, out) == (2, "")
    assert err.splitlines() == [
        f"{program}: environment variable PWB_PROT: no such option (did you mean 'PWB_PORT'?); it is ignored",
        f"{program}: pwb.toml: port: 'x' is not a valid integer.",
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_help(program: str, started: Started, tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text("broken")
    status, out, err = started(program, "--help", PWB_PORT="x")
    words = " ".join(out.split())
    assert (status, err) == (0, "")
    mode = "--mode MODE " if program == "pwb-legacy" else ""
    assert words.startswith(f"Usage: {program} {mode}[OPTIONS] [ROOT] ")
    used = {option.topic for option in DECLARATIONS.values() if option.belongs_to(program) and not option.positional}
    headings = [topic.value for topic in command_line.TOPICS[program] if topic in used]
    assert [line[:-1] for line in out.splitlines() if line[:-1] in headings] == headings
    assert f"Examples: {program} " in words
    assert "--header-timeout SECONDS Time for a whole request head to arrive. [def" in words
    assert "[default: 10s]" in words
    assert "[default: index.html]" in words
    assert program == "pwb-legacy" or "[default: 64M]" in words
    assert "PWB_MAX_AGE=60" in words
    assert max(map(len, out.splitlines())) <= 100
    for option in DECLARATIONS.values():
        if not option.positional:
            assert (f"{option.flag} " in words) is option.belongs_to(program), option.name


def test_version(started: Started) -> None:
    assert started("pwb-legacy", "--version") == (0, "PWB 8.0\n", "")


def test_reading_options_imports_no_event_loop_and_no_socket() -> None:
    code = "import sys, pwb_async.config.loader as c; c.read_options('pwb', [], {}, '/'); print(*sys.modules)"
    home = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=home, stdout=-1, text=True, check=True)
    heavy = {"asyncio", "uvloop", "aiofiles", "gevent", "socket", "selectors", "logging"}
    assert not heavy & set(done.stdout.split())
