"""Every option of both programs, declared once.

This file owns the frozen dataclass `Options`. One field is one option: name, type, default, unit,
help, and the program that takes it. The rest reads that declaration: to add an option, add a field.

1. `_from_command_line`: click reads the options of one program (`--max-age 60`).
2. `_from_file`: a TOML file (`max_age = 60` or `max-age = 60`), the one that --config or PWB_CONFIG
   names, else ./pwb.toml, else [tool.pwb] in ./pyproject.toml.
3. environment.py: PWB_MAX_AGE and its like; an empty one counts as absent.
4. `read_options`: command line over environment over file over default, then the bounds that
   options set each other.

All sources go through the same click type, so all refuse the same things (kinds.py). Only values
that count are checked, those that a stronger source overrides are not: the environment may have been
made for another program. What the file names must be options; of the environment that is a warning.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar

import click

from pwb_async.output.pipes import read_file
from pwb_async.output.printing import did_you_mean, printable

from . import environment
from . import option_types as kinds
from .environment import PREFIX

T = TypeVar("T")
Setting = tuple[str, str, Any]  # an option's name, the place of its value, the value
Environ = Mapping[str, str]
Folder = str | os.PathLike[str]
PROGRAMS = {
    "pwb": "Serve the files of the folder ROOT over HTTP.",
    "pwb-legacy": "Serve the files of the folder ROOT over HTTP, in one of the book's designs. pwb-legacy compare, "
    "diff and trace measure, prove and draw what they do (see pwb-legacy compare --help).",
}
EPILOG = f"""
An option can also stand in the environment ({PREFIX}MAX_AGE=60) or in a TOML file (max_age = 60):
the one that --config names, else ./pwb.toml, else [tool.pwb] in ./pyproject.toml. The command
line overrides the environment, and the environment the file.

SECONDS: 10, 0.5, 500ms, 10s, 2m or 1h. BYTES: 8190, 32K, 32KiB, 1M, 1MiB or 1GiB.

--etag: up to 112 KiB the entity tag of a file is a digest of its content. A larger file is not read
for its tag. auto: size, times and inode number, so that chmod and hard links change it too; mtime:
size and time of the last change, the same on all servers that keep the times of their copies;
content: no tag.

--type '*.geo=application/json': files of such names, without regard to case; 'old/*=text/html':
those whose path below ROOT fits, since the glob has a slash; '/*.txt=text/html': a slash in front
stands for ROOT. * fits slashes too, so old/* also means old/a/b. The last that fits counts. White space
separates several in {PREFIX}TYPE, but not the parameters of a type: '*.a=text/html; charset=euc-kr'.

--serve-encoded: where x.js has a known type (the built-in ones or --type) that is no archive's,
x.js.br is sent with this type and Content-Encoding: br; .gz (gzip) and .zst (zstd) alike. Other
files are sent as they are: v-1.2.gz, x.tar.gz, x.zip.gz, and x.js.gz where a glob of --type fits
this whole name but not x.js.

--delay-disk 20ms: every call to the disk takes so much longer; 20ms~5ms: give or take 5 ms;
'*.bin=200ms': for request paths that fit. The last that fits counts.
"""


class ConfigError(ValueError):
    """A wrong option. Its str is one printable line: where the value stands, what is wrong."""

    def __init__(self, line: str) -> None:
        super().__init__(printable(line))


def option(
    default: T,
    kind: kinds.OptionType,
    about: str,
    program: str = "",
    at_most: str = "",
    needs: str = "",
    bare: bool = False,
) -> T:
    """Declare an option. A tuple as `default` makes it repeatable, a bool a pair of flags; `kind`
    has its unit; `program` is the only one with it on the command line (both if not given);
    `at_most` names the option that bounds it; `needs` the one without which it means nothing;
    `bare` makes it an argument without a name."""
    told = {"kind": kind, "help": about, "program": program, "at_most": at_most, "needs": needs, "bare": bare}
    return field(default=default, metadata=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What one server was told. Times are seconds, sizes bytes; where 0 or None has a meaning of
    its own, the help tells it. Made by hand, as in Options(port=0), nothing is checked."""

    root: str = option("static", kinds.PATH, "Folder that is served.", bare=True)
    host: str = option("127.0.0.1", kinds.ADDRESS, "Where to listen.")
    port: int = option(8888, kinds.PORT, "Where to listen; 0: any free port.")
    unix: str | None = option(None, kinds.PATH, "Listen on this Unix socket instead.")
    unix_mode: str | None = option(
        None,
        kinds.FILE_MODE,
        'Its mode: three octal digits (no special bits), in TOML a string such as "660" (default: by the umask).',
        needs="unix",
    )
    unix_group: str | None = option(None, kinds.GROUP, "Its group.", needs="unix")
    index: tuple[str, ...] = option(("index.html",), kinds.NAME, "Answers for its folder; repeatable.")
    dotfiles: bool = option(False, kinds.SWITCH, "Serve names that begin with a dot, .git and .env too.")
    etag: str = option("auto", kinds.ETAG, "Entity tags of large files: see below.")
    max_age: int | None = option(None, kinds.AGE, "Cache-Control: max-age (if not given: no-cache).")
    relative_redirects: bool = option(False, kinds.SWITCH, "Redirect by ./name/, for a proxy with a path prefix.")
    type: tuple[kinds.TypeRule, ...] = option((), kinds.TYPE, "Media type of files (see below); repeatable.")
    charset: str | None = option("utf-8", kinds.CHARSET, "What text types say that have no charset; off: nothing.")
    serve_encoded: bool = option(
        False,
        kinds.SWITCH,
        "Send x.js.br, x.js.gz and x.js.zst with Content-Encoding and the type of x.js (see below).",
    )
    server_version: bool = option(False, kinds.SWITCH, "Tell the version in the field Server.")
    access_log: str = option("-", kinds.PATH, "Access log; -: standard output; off: none.")
    user: str | None = option(None, kinds.USER, "Whose rights to have once all is open; root only.")
    sandbox: bool = option(False, kinds.SWITCH, "Landlock: the root can be read, and nothing else.")
    workers: int = option(1, kinds.WORKERS, "Processes; auto: one for each processor that may be used.", program="pwb")
    loop: str = option(kinds.NATIVE_LOOP, kinds.LOOP, "Event loop.", program="pwb")
    cache: int = option(64 << 20, kinds.BYTES_OR_OFF, "Memory for answers of small files.", program="pwb")
    cache_ttl: float = option(1.0, kinds.SECONDS, "Time for which they are trusted.", program="pwb")
    sendfile: bool = option(
        True,
        kinds.SWITCH,
        "Large files by sendfile(2). Switch it off for shared folders of VirtualBox, where it sends old content.",
        program="pwb",
    )
    disk_timeout: float = option(10.0, kinds.SECONDS, "Time for the disk; then 503.", program="pwb")
    mode: str | None = option(None, kinds.MODE, "Design of the server.", program="pwb-legacy")
    trigger: str = option("edge", kinds.TRIGGER, "How --mode epoll is woken.", program="pwb-legacy")
    delay_disk: tuple[kinds.Delay, ...] = option((), kinds.DELAY, "Slow the disk down (see below); repeatable.")
    trace: str | None = option(None, kinds.PATH, "Write a timeline here, for Perfetto; it is made anew.")
    header_timeout: float = option(10.0, kinds.SECONDS, "Time for a whole request head to arrive.")
    idle_timeout: float = option(15.0, kinds.SECONDS, "Time from an answer to the next request.")
    send_timeout: float = option(60.0, kinds.SECONDS, "Time in which a peer must take some bytes.")
    min_send_rate: int = option(0, kinds.RATE, "Least it must take a second, over that time; 0: any.")
    linger_idle: float = option(5.0, kinds.SECONDS, "Time for more unread bytes before closing.")
    linger_timeout: float = option(30.0, kinds.SECONDS, "Time for all unread bytes before closing.")
    grace_period: float = option(30.0, kinds.SECONDS_OR_0, "Time for running answers to end at a stop.")
    requests_per_connection: int = option(1000, kinds.COUNT_OR_0, "Then it is closed; 0: no bound.")
    max_connections: int = option(0, kinds.COUNT_OR_0, "At once, shared by the workers; 0: as many as go.")
    max_connections_per_ip: int = option(0, kinds.COUNT_OR_0, "Connections of one client at once; 0: any.")
    max_request_line: int = option(8190, kinds.BYTES, "Longest request line.", at_most="max_head")
    max_field: int = option(8190, kinds.BYTES, "Longest field line of a request.", at_most="max_head")
    max_fields: int = option(100, kinds.COUNT, "Most fields of a request.")
    max_head: int = option(32768, kinds.BYTES, "Largest request head: request line and all fields.")
    max_content: int = option(65536, kinds.BYTES, "Most content skipped to keep a connection.")
    max_ranges: int = option(512, kinds.COUNT, "Most byte ranges of a request.")


FIELDS: dict[str, Field[Any]] = {each.name: each for each in fields(Options)}
REPEATABLE = {name for name, each in FIELDS.items() if isinstance(each.default, tuple)}


def read_options(
    program: str,
    argv: Sequence[str],
    environ: Environ,
    folder: Folder,
    warn: Callable[[str], object] = lambda line: None,
) -> Options:
    """The options of `program`, "pwb" or "pwb-legacy". `folder` is where pwb.toml, pyproject.toml
    and a relative --config are; `warn` takes a line about what is ignored. A wrong option raises
    ConfigError; --help and --version print and raise click.exceptions.Exit."""
    told = {name: (place, value) for name, place, value in _from_command_line(program, argv)}
    _, config = told.pop("config", ("", environ.get(environment.CONFIG)))
    written = [*_from_file(config, folder), *_from_environment(environ, warn)]
    counting = {name: (place, value) for name, place, value in written if name not in told}
    settings = told
    for name, (place, value) in counting.items():
        try:
            settings[name] = place, _read(name, place, value)
        except ConfigError as error:
            if FIELDS[name].metadata["program"] in ("", program):
                raise
            warn(f"{error} It is ignored: {program} has no {flag(name)}")
    options = Options(**{name: value for name, (_, value) in settings.items()})
    _check_together(options, dict.fromkeys(FIELDS, "default") | {name: place for name, (place, _) in settings.items()})
    return options


def _check_together(options: Options, places: Mapping[str, str]) -> None:
    """What options ask of each other. places: of their values."""
    for name, each in FIELDS.items():
        value, bound, needed = getattr(options, name), each.metadata["at_most"], each.metadata["needs"]
        if bound and value > (less := getattr(options, bound)):
            raise ConfigError(f"{name} {value} ({places[name]}) is more than {bound} {less} ({places[bound]}).")
        if needed and value is not None and getattr(options, needed) is None:
            raise ConfigError(f"{places[name]}: it needs {flag(needed)}, the socket that it is for.")


def flag(name: str) -> str:
    """An option as the command line has it."""
    return f"--{name.replace('_', '-')}"


def spell(name: str, value: object) -> str:
    """A value of an option as it is written."""
    kind: kinds.OptionType = FIELDS[name].metadata["kind"]
    return kind.spell(value)


def _from_command_line(program: str, argv: Sequence[str]) -> Iterator[Setting]:
    """What the command line tells: options, and `config`."""
    from pwb_async.version import __version__

    own = [each for each in FIELDS.values() if each.metadata["program"] in ("", program)]
    command = click.Command(program, help=PROGRAMS[program], epilog=EPILOG)
    command.context_settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    command.params = [_parameter(each) for each in own]
    config = click.Option(["--config"], type=kinds.PATH, metavar="PATH", help="TOML file of options.")
    command.params.append(config)
    click.version_option(__version__, message="PWB %(version)s")(command)
    try:
        context = command.make_context(program, list(argv))
    except click.BadParameter as error:
        place = _place(error.param) if error.param else "command line"
        raise ConfigError(f"{place}: {error.message}") from None
    except click.NoSuchOption as error:
        words = [each[2:] for param in command.params for each in param.opts if each[:2] == "--"]
        word = error.option_name.lstrip("-")
        named = FIELDS.get(word.replace("-", "_"))
        other = named.metadata["program"] if named else ""
        hint = f" (it is one of {other}'s)" if other else did_you_mean(word, words, "--{}".format)
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
    kind, about, word = each.metadata["kind"], each.metadata["help"], each.name.replace("_", "-")
    default: Any = each.default
    if default is not None and default is not False and default != ():
        shown = {tuple: " ".join, float: "{:g}s".format, bool: "on".format}.get(type(default), str)(default)
        about = f"{about}  [default: {shown}]"
    if each.metadata["bare"]:
        return click.Argument([each.name], type=kind, required=False, help=about)
    if isinstance(default, bool):
        return click.Option([f"--{word}/--no-{word}"], help=about)
    many = each.name in REPEATABLE
    return click.Option([f"--{word}"], type=kind, multiple=many, metavar=kind.name, help=about)


def _from_file(config: str | None, folder: Folder) -> Iterator[Setting]:
    """What the file says, in either spelling of a key."""
    place, table = _table(config, folder)
    spelled: dict[str, str] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in FIELDS:
            raise ConfigError(f"{place}: unknown key {key!r}{did_you_mean(name, FIELDS)}")
        if name in spelled:
            raise ConfigError(f"{place}: {spelled[name]!r} and {key!r} are the same key.")
        spelled[name] = key
        yield name, f"{place}: {key}", value


def _table(config: str | None, folder: Folder) -> tuple[str, dict[str, Any]]:
    """The file in use, as messages name it, and its options as TOML has them."""
    for name in [config] if config else ["pwb.toml", "pyproject.toml"]:
        path = os.path.join(folder, name)
        if not config and not os.path.exists(path):  # or in a folder that may not be entered, or is gone
            continue
        try:
            text = read_file(path).decode()
            import tomllib  # 8 ms that a start without a file need not wait for

            table = tomllib.loads(text)
        except (OSError, ValueError) as error:
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


def _from_environment(environ: Environ, warn: Callable[[str], object]) -> Iterator[Setting]:
    """What the environment says; a repeatable option is split at white space, as its kind has it."""
    for name, text in environment.read(environ, FIELDS, warn):
        place = f"environment variable {PREFIX}{name.upper()}"
        yield name, place, FIELDS[name].metadata["kind"].item.findall(text) if name in REPEATABLE else text


def _read(name: str, place: str, value: object) -> object:
    """A value as it stands in the environment or in TOML, checked."""
    kind = FIELDS[name].metadata["kind"]
    try:
        if name not in REPEATABLE:
            return kind(value)
        if not isinstance(value, list):
            raise click.BadParameter(f"{value!r} is not a list.")
        return tuple(map(kind, value))
    except click.BadParameter as error:
        raise ConfigError(f"{place}: {error.message}") from None
