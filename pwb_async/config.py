"""Every option of both programs, declared once.

This file owns the frozen dataclass `Options`. One field is one option: name, type, default, unit,
help, and the program that takes it. The rest reads that declaration: to add an option, add a field.

1. `_from_command_line`: click reads the options of one program (`--max-age 60`).
2. `_from_file`: a TOML file (`max_age = 60` or `max-age = 60`), the one that --config or PWB_CONFIG
   names, else ./pwb.toml, else [tool.pwb] in ./pyproject.toml.
3. `_from_environment`: PWB_MAX_AGE and its like; an empty one counts as absent.
4. `read_options`: command line over environment over file over default, then the bounds that
   options set each other.

All sources go through the same click type, so all refuse the same things. A value is checked
wherever it stands, even where a stronger source overrides it or only the other program takes it.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar

import click

T = TypeVar("T")
Setting = tuple[str, str, Any]  # an option's name, the place of its value, the value
Environ = Mapping[str, str]
Folder = str | os.PathLike[str]
PREFIX = "PWB_"
PROGRAMS = {
    "pwb": "Serve the files of the folder ROOT over HTTP.",
    "pwb-legacy": "Serve the files of the folder ROOT over HTTP, in one of the book's designs.",
}
EPILOG = f"""
An option can also stand in the environment ({PREFIX}MAX_AGE=60) or in a TOML file (max_age = 60):
the one that --config names, else ./pwb.toml, else [tool.pwb] in ./pyproject.toml. The command
line overrides the environment, and the environment the file.

SECONDS: 10, 0.5, 500ms, 10s, 2m or 1h. BYTES: 8190, 32K, 32KiB, 1M, 1MiB or 1GiB.
"""
FACTORS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class ConfigError(ValueError):
    """A wrong option. Its str is one printable line: where the value stands, what is wrong."""

    def __init__(self, line: str) -> None:
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in line))


class Kind(click.ParamType[Any]):
    """A click type: the unit that --help shows, and a function of text (ValueError refuses it).
    A TOML number or boolean is read as the text it is spelled with, unless `quoted`."""

    def __init__(self, unit: str, parse: Callable[[str], object], quoted: bool = False) -> None:
        self.name, self.parse, self.quoted = unit, parse, quoted

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, bool | int | float) and not self.quoted:
            value = str(value).lower()
        if not isinstance(value, str):
            self.fail(f"{value!r} is of the wrong type.", param, ctx)
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}.", param, ctx)


def _text(text: str) -> str:
    if not text or "\0" in text:  # an empty host would be every interface
        raise ValueError("holds a NUL" if text else "is empty")
    return text


def _file_name(text: str) -> str:
    if "/" in _text(text) or text in (".", ".."):
        raise ValueError("is not the name of a file")
    return text


def _seconds(text: str, zero: bool = False) -> float:
    parts = re.fullmatch(r"([0-9]{0,9}\.?[0-9]{1,20}) ?(ms|s|m|h)?", text)
    if not parts:
        raise ValueError("is not a time such as 10, 0.5, 500ms, 10s or 2m")
    seconds = float(parts[1]) * FACTORS[parts[2] or "s"]
    if seconds > 2_000_000 or not (seconds or zero):  # poll counts at most 2**31 milliseconds
        raise ValueError("is not above 0 and at most 2000000 seconds")
    return seconds


def _size(text: str) -> int:
    parts = re.fullmatch(r"([0-9]{1,15}) ?(?:([KMG])(?:iB)?)?", text)
    if not parts or not int(parts[1]):
        raise ValueError("is not a size above 0 such as 8190, 32K, 32KiB, 1M or 1GiB")
    return int(parts[1]) * int(FACTORS.get(parts[2], 1))


def _size_or_off(text: str) -> int:
    return 0 if text == "off" else _size(text)


def _size_or_0(text: str) -> int:
    return 0 if text == "0" else _size(text)


def _workers(text: str) -> int:
    return 0 if text == "auto" else int(COUNT(text))


class Whole(click.IntRange):
    name = "integer"  # as messages call it


def _one_of(*words: str) -> Kind:
    return Kind("|".join(words), click.Choice(words))


PATH, ADDRESS = Kind("PATH", _text, quoted=True), Kind("ADDRESS", _text, quoted=True)
USER = Kind("NAME[:GROUP]", _text, quoted=True)
NAME, PORT = Kind("NAME", _file_name, quoted=True), Kind("PORT", Whole(0, 65535))
SECONDS, AGE = Kind("SECONDS", _seconds), Kind("SECONDS", Whole(0, 2**31 - 1))
RATE, WORKERS = Kind("BYTES", _size_or_0), Kind("COUNT|auto", _workers)
SECONDS_OR_0 = Kind("SECONDS", lambda text: _seconds(text, zero=True))
BYTES_OR_OFF = Kind("BYTES|off", lambda text: 0 if text == "off" else _size(text))
BYTES, COUNT, COUNT_OR_0 = Kind("BYTES", _size), Kind("COUNT", Whole(1)), Kind("COUNT", Whole(0))
SWITCH = Kind("", lambda text: click.Choice(("true", "false"))(text) == "true")
LOOP, TRIGGER = _one_of("uvloop", "asyncio"), _one_of("edge", "level")
NATIVE_LOOP = "asyncio" if sys.platform == "win32" else "uvloop"
MODE = _one_of("fixed", "single", "thread", "process", "gevent", "epoll", "epoll-thread")


def option(
    default: T,
    kind: Kind,
    about: str,
    program: str = "",
    at_most: str = "",
    bare: bool = False,
) -> T:
    """Declare an option. A tuple as `default` makes it repeatable, a bool a pair of flags; `kind`
    has its unit; `program` is the only one with it on the command line (both if not given);
    `at_most` names the option that bounds it; `bare` makes it an argument without a name."""
    told = {"kind": kind, "help": about, "program": program, "at_most": at_most, "bare": bare}
    return field(default=default, metadata=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one server was told. Times are seconds, sizes bytes; where 0 or None has a meaning of
    its own, the help tells it. Made by hand, as in Options(port=0), nothing is checked."""

    root: str = option("static", PATH, "Folder that is served.", bare=True)
    host: str = option("127.0.0.1", ADDRESS, "Where to listen.")
    port: int = option(8888, PORT, "Where to listen; 0: any free port.")
    unix: str | None = option(None, PATH, "Listen on this Unix socket instead.")
    index: tuple[str, ...] = option(("index.html",), NAME, "Answers for its folder; repeatable.")
    max_age: int | None = option(None, AGE, "Cache-Control: max-age (if not given: no-cache).")
    server_version: bool = option(False, SWITCH, "Tell the version in the field Server.")
    access_log: str = option("-", PATH, "Access log; -: standard output; off: none.")
    user: str | None = option(None, USER, "Whose rights to have once all is open; root only.")
    sandbox: bool = option(False, SWITCH, "Landlock: the root can be read, and nothing else.")
    workers: int = option(1, WORKERS, "Processes; auto: one for each processor.", program="pwb")
    loop: str = option(NATIVE_LOOP, LOOP, "Event loop.", program="pwb")
    cache: int = option(64 << 20, BYTES_OR_OFF, "Memory for answers of small files.", program="pwb")
    cache_ttl: float = option(1.0, SECONDS, "Time for which they are trusted.", program="pwb")
    disk_timeout: float = option(10.0, SECONDS, "Time for the disk; then 503.", program="pwb")
    mode: str | None = option(None, MODE, "Design of the server.", program="pwb-legacy")
    trigger: str = option("edge", TRIGGER, "How --mode epoll is woken.", program="pwb-legacy")
    header_timeout: float = option(10.0, SECONDS, "Time for a whole request head to arrive.")
    idle_timeout: float = option(15.0, SECONDS, "Time from an answer to the next request.")
    send_timeout: float = option(60.0, SECONDS, "Time in which a peer must take some bytes.")
    min_rate: int = option(0, RATE, "Least it must take a second, over that time; 0: any.")
    linger_idle: float = option(5.0, SECONDS, "Time for more unread bytes before closing.")
    linger_timeout: float = option(30.0, SECONDS, "Time for all unread bytes before closing.")
    grace: float = option(30.0, SECONDS_OR_0, "Time for running answers to end at a stop.")
    requests_per_connection: int = option(1000, COUNT_OR_0, "Then it is closed; 0: no bound.")
    max_connections: int = option(0, COUNT_OR_0, "At once, shared by the workers; 0: as many as go.")
    max_per_address: int = option(0, COUNT_OR_0, "Connections of one client at once; 0: any.")
    max_request_line: int = option(8190, BYTES, "Longest request line.", at_most="max_head")
    max_field: int = option(8190, BYTES, "Longest field line of a request.", at_most="max_head")
    max_fields: int = option(100, COUNT, "Most fields of a request.")
    max_head: int = option(32768, BYTES, "Largest request head: request line and all fields.")
    max_content: int = option(65536, BYTES, "Most content skipped to keep a connection.")
    max_ranges: int = option(16, COUNT, "Most byte ranges of a request.")


FIELDS: dict[str, Field[Any]] = {each.name: each for each in fields(Options)}
REPEATABLE = {name for name, each in FIELDS.items() if isinstance(each.default, tuple)}


def load(
    program: str,
    argv: Sequence[str] | None = None,
    environ: Environ | None = None,
    folder: Folder | None = None,
) -> Options:
    """read_options() at a program's start, by default with the arguments, environment and folder
    of this process. A wrong option prints one line on standard error and raises SystemExit(2);
    --help and --version raise SystemExit(0)."""
    argv = sys.argv[1:] if argv is None else argv
    environ = os.environ if environ is None else environ
    try:
        return read_options(program, argv, environ, folder or ".")
    except ConfigError as error:
        click.echo(f"{program}: {error}", err=True)
        raise SystemExit(2) from None
    except click.exceptions.Exit as done:
        raise SystemExit(done.exit_code) from None


def read_options(program: str, argv: Sequence[str], environ: Environ, folder: Folder) -> Options:
    """The options of `program`, "pwb" or "pwb-legacy". `folder` is where pwb.toml, pyproject.toml
    and a relative --config are. A wrong option raises ConfigError; --help and --version print and
    raise click.exceptions.Exit."""
    told = list(_from_command_line(program, argv))
    config = next((value for name, _, value in told if name == "config"), None)
    file = _from_file(config or environ.get(f"{PREFIX}CONFIG"), folder)
    settings = [*file, *_from_environment(environ), *(one for one in told if one[0] in FIELDS)]
    options = Options(**{name: value for name, _, value in settings})
    places = dict.fromkeys(FIELDS, "default") | {name: place for name, place, _ in settings}
    for name, each in FIELDS.items():
        bound = each.metadata["at_most"]
        if bound and (more := getattr(options, name)) > (less := getattr(options, bound)):
            over = f"{name} {more} ({places[name]}) is more than {bound} {less}"
            raise ConfigError(f"{over} ({places[bound]}).")
    return options


def _from_command_line(program: str, argv: Sequence[str]) -> Iterator[Setting]:
    """What the command line tells: options, and `config`."""
    from pwb_async import __version__

    own = [each for each in FIELDS.values() if each.metadata["program"] in ("", program)]
    command = click.Command(program, help=PROGRAMS[program], epilog=EPILOG)
    command.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    command.params = [_parameter(each) for each in own]
    config = click.Option(["--config"], type=PATH, metavar="PATH", help="TOML file of options.")
    command.params.append(config)
    click.version_option(__version__, message="PWB %(version)s")(command)
    try:
        context = command.make_context(program, list(argv))
    except click.BadParameter as error:
        place = _place(error.param) if error.param else "command line"
        raise ConfigError(f"{place}: {error.message}") from None
    except click.NoSuchOption as error:
        words = [flag[2:] for each in command.params for flag in each.opts if flag[:2] == "--"]
        hint = _did_you_mean(error.option_name.lstrip("-"), words, "--")
        raise ConfigError(f"{error.option_name}: no such option{hint}") from None
    except click.UsageError as error:
        raise ConfigError(error.format_message()) from None
    for param in command.params:
        if context.get_parameter_source(param.name) is click.ParameterSource.COMMANDLINE:
            yield param.name, _place(param), context.params[param.name]


def _place(param: click.Parameter) -> str:
    return param.opts[0] if isinstance(param, click.Option) else param.human_readable_name


def _parameter(each: Field[Any]) -> click.Parameter:
    """An option as click has it, its default in words only: click is to tell what was given."""
    kind, about, flag = each.metadata["kind"], each.metadata["help"], each.name.replace("_", "-")
    default: Any = each.default
    if default is not None and default is not False:
        shown = {tuple: " ".join, float: "{:g}s".format}.get(type(default), str)(default)
        about = f"{about}  [default: {shown}]"
    if each.metadata["bare"]:
        return click.Argument([each.name], type=kind, required=False, help=about)
    if isinstance(default, bool):
        return click.Option([f"--{flag}/--no-{flag}"], help=about)
    many = each.name in REPEATABLE
    return click.Option([f"--{flag}"], type=kind, multiple=many, metavar=kind.name, help=about)


def _from_file(config: str | None, folder: Folder) -> Iterator[Setting]:
    """What the file tells, in either spelling of a key."""
    place, table = _table(config, folder)
    spelled: dict[str, str] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in FIELDS:
            raise ConfigError(f"{place}: unknown key {key!r}{_did_you_mean(name, FIELDS)}")
        if name in spelled:
            raise ConfigError(f"{place}: {spelled[name]!r} and {key!r} are the same key.")
        spelled[name] = key
        yield _setting(name, f"{place}: {key}", value)


def _table(config: str | None, folder: Folder) -> tuple[str, dict[str, Any]]:
    """The file in use, as messages name it, and its options as TOML has them."""
    for name in [config] if config else ["pwb.toml", "pyproject.toml"]:
        try:
            with open(os.path.join(folder, name), "rb") as file:
                import tomllib  # 8 ms that a start without a file need not wait for

                table = tomllib.load(file)
        except (OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError) and not config:
                continue
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigError(f"{name}: cannot be read: {reason}") from None
        if os.path.basename(name) != "pyproject.toml":
            return name, table
        tool = table.get("tool")
        table = tool.get("pwb", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict):
            raise ConfigError(f"{name}: [tool.pwb] is not a table.")
        return f"{name} [tool.pwb]", table
    return "", {}


def _from_environment(environ: Environ) -> Iterator[Setting]:
    """What the environment tells; a repeatable option is split at white space."""
    names = {name.upper(): name for name in FIELDS}
    for key in sorted(key for key in environ if key.startswith(PREFIX)):
        place, word, value = f"environment variable {key}", key.removeprefix(PREFIX), environ[key]
        name = names.get(word, "")
        if name and value:
            yield _setting(name, place, value.split() if name in REPEATABLE else value)
        elif not name and word != "CONFIG":
            hint = _did_you_mean(word.upper(), names, PREFIX)
            raise ConfigError(f"{place}: no such option{hint}")


def _setting(name: str, place: str, value: object) -> Setting:
    """Check a value as it stands in the environment or in TOML."""
    kind = FIELDS[name].metadata["kind"]
    try:
        if name not in REPEATABLE:
            return name, place, kind(value)
        if not isinstance(value, list):
            raise click.BadParameter(f"{value!r} is not a list.")
        return name, place, tuple(map(kind, value))
    except click.BadParameter as error:
        raise ConfigError(f"{place}: {error.message}") from None


def _did_you_mean(word: str, words: Iterable[str], prefix: str = "") -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, words)
    close.sort(key=lambda each: sorted(each) != sorted(word))  # prot: port before root
    return f" (did you mean {prefix + close[0]!r}?)" if close else ""
