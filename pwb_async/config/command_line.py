"""Options on the command line, such as --max-age 60, which click reads and describes in --help."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import click

from pwb_async.output.printing import did_you_mean
from pwb_async.version import __version__

from .click_types import ClickType
from .declarations import Declaration, Topic
from .environment import PREFIX
from .errors import HelpPrintedError
from .habits import HABITS
from .help import HelpfulCommand
from .option_types import PATH, SWITCH
from .options import DECLARATIONS, ConfigError


class Program(NamedTuple):
    """What --help has of a program beside its options."""

    usage: str
    """What is in front of ROOT."""
    about: str
    examples: Sequence[tuple[str, str]]
    """Command lines, and what they do."""
    commands: Sequence[tuple[str, str]] = ()
    """The commands that it has beside serving."""


PROGRAMS: Final = {
    "pwb": Program(
        "[OPTIONS]",
        "Serve the files of the directory ROOT over HTTP.",
        (
            ("pwb ~/site", "serve a folder to this machine, at http://127.0.0.1:8888/"),
            ("pwb ~/site --host 0.0.0.0 --port 8080", "serve it to other machines, too"),
            ("pwb ~/site --profile dev --open", "while writing it: always current, with listings; open a browser"),
            ("pwb ~/site --profile share", "for phones in the same network, with a QR code of the address"),
            ("pwb ~/site --workers auto --access-log off", "use every processor, and write no log"),
        ),
        (
            ("config", "print every option, its value and where it is from; a JSON Schema for editors"),
            ("completion", "print a script that makes a shell complete options and values"),
            ("man", "print the manual page: pwb man | man -l -"),
            ("compress", "compress the files of a directory ahead of time, as small as possible"),
            ("explain", "print how a request would be answered, and why"),
        ),
    ),
    "pwb-legacy": Program(
        "--mode MODE [OPTIONS]",
        "Serve the files of the directory ROOT over HTTP, in one of the book's designs; or run a COMMAND that compares "
        "them. Without arguments, the modes and what they are.",
        (
            ("pwb-legacy --mode thread ~/site", "serve a folder with a thread for each client"),
            ("pwb-legacy --mode epoll --trigger level", "the same, level-triggered: compare it with edge"),
            ("pwb-legacy --mode epoll --delay-disk 20ms", "what a slow disk does to a single thread"),
        ),
        (
            ("compare", "measure all designs under the same load: a page of charts and conclusions"),
            ("report", "draw the page of compare again, and join several runs"),
            ("diff", "send the same requests to all designs, and compare the bytes of the responses"),
            ("trace", "a page to step through: three clients in each design"),
            ("live", "a page for a lesson, with buttons: all designs at once"),
            ("book", "the textbook's own programs, and twenty attacks that show their defects"),
            ("check", "start a server of your own, and name in words what it does wrong"),
        ),
    ),
}
"""What --help has of each program beside its options."""
_NO_COMMANDS: Final = ("serve", "start", "run", "server")
"""Commands of other servers, which pwb needs not."""
TOPICS: Final = {
    "pwb": tuple(Topic),
    "pwb-legacy": (Topic.DESIGNS, *(each for each in Topic if each is not Topic.DESIGNS)),
}
"""The headings of --help. Those of pwb-legacy begin with the one that it is about."""
EPILOG: Final = f"""
An option can also be set in the environment ({PREFIX}MAX_AGE=60) or in a TOML file (max-age = 60):
the one that --config names, else ./pwb.toml, else [tool.pwb] in ./pyproject.toml. The command
line overrides the environment, and the environment the file.

SECONDS: 10 or 0.5 (seconds), 10s, 500ms, 2m, 1h or 1d. BYTES: 8190, 32K, 32KiB, 1M, 1MiB or 1GiB.
Switches are true or false in the environment and in TOML, not 1, yes or on.

--etag: the entity tag of a file of up to 112 KiB is a digest of its content. A larger file is not
read for its tag. auto: made of size, times and inode number, so chmod and hard links change it too;
mtime: of size and time of the last change, hence the same on all servers that keep the times of
their copies; content: no tag.

--type '*.geo=application/json': files with such names, ignoring case; 'old/*=text/html': a glob with
a slash is matched against the path below ROOT; '/*.txt=text/html': a slash in front stands for ROOT.
* matches slashes too, so old/* includes old/a/b. The last rule that matches counts. White space
separates several in {PREFIX}TYPE, but not the parameters of a type: '*.a=text/html; charset=euc-kr'.

--serve-encoded: if x.js has a known type (built in or by --type) that is not an archive's, x.js.br is
sent with this type and Content-Encoding: br; likewise .gz (gzip) and .zst (zstd). Other files are
sent as they are: v-1.2.gz, x.tar.gz, x.zip.gz, and x.js.gz if a glob of --type matches this whole
name but not x.js.

--header 'X-Robots-Tag: noindex': a field of every response; one about caching is left out of errors.
{PREFIX}HEADER has one on each line. Redirects, rewrites, and fields for some paths only: docs/rules.md.

--mount /docs/=build/html: the files of this directory below /docs/ of the site; the longest path counts.
{PREFIX}MOUNT has one on each line. Several sites, by host: docs/sites.md.

--security-headers basic: fields that break no usual site: X-Content-Type-Options, Referrer-Policy, and
for pages X-Frame-Options, Cross-Origin-Opener-Policy, and a Content-Security-Policy about frames, <base>
and <object>. strict: content of the site's own origin only, and no inline script or style, either; over
TLS also Strict-Transport-Security.

--tls-local: the authority is made once, in ~/.local/share/pwb/authority, for names of local networks only. Once a
browser trusts it, it trusts every certificate that your servers make for themselves: docs/https.md.

--delay-disk 20ms: every disk operation takes 20 ms longer (a bare 20 is 20 s); 20ms~5ms: 15 to 25 ms;
'*.bin=200ms': only for request paths that match. The last that matches counts.
"""
"""What follows the options in --help, and in docs/options.md."""
WHERE_PAGES_ARE: Final = """
docs/rules.md and other pages are in the repository and in the source archive of PWB, not in what pip installs.
"""
"""Where the pages are that the help names."""


def read(program: str, argv: Sequence[str]) -> Iterator[tuple[str, str, Any]]:
    """The name of each option that is given, where it stands, and its value; --config is one of them.

    Raises ConfigError, or HelpPrintedError after --help or --version has been printed.
    """
    try:
        yield from read_with(make_command(program, program, PROGRAMS[program]), program, argv)
    except click.exceptions.Exit:
        raise HelpPrintedError from None


def read_with(command: click.Command, program: str, argv: Sequence[str]) -> Iterator[tuple[str, str, Any]]:
    """The same for a command of `program`, with what is given for the parameters that it has beside the options.

    Raises click.exceptions.Exit after --help.
    """
    try:
        context = command.make_context(command.name, list(argv))
    except click.UsageError as error:
        raise ConfigError(describe(error, program)) from None
    for param in command.params:
        if context.get_parameter_source(param.name) is click.ParameterSource.COMMANDLINE:
            yield param.name, _place(param), context.params[param.name]


def make_command(
    program: str, name: str, about: Program, own: Sequence[click.Parameter] = (), epilog: str = EPILOG + WHERE_PAGES_ARE
) -> click.Command:
    """A command with the options of `program`.

    own: the parameters that it has beside them; then --help has these alone. epilog: what follows them in --help.
    """
    options = [option for option in DECLARATIONS.values() if option.belongs_to(program)]
    headings = {topic.value: [each.name for each in options if each.topic is topic] for topic in TOPICS[program]}
    command = HelpfulCommand(
        name,
        options_metavar=about.usage,
        help=about.about,
        epilog=epilog,
        examples=about.examples,
        commands=about.commands,
        headings=headings,
    )
    command.params = [*own, *(_parameter(option) for option in options)]
    command.params.append(
        click.Option(["--config"], type=ClickType(PATH), metavar="PATH", help="TOML file of options.")
    )
    click.version_option(__version__, message="PWB %(version)s")(command)
    for param in command.params[len(own) :] if own else ():
        if isinstance(param, click.Option):
            param.hidden = True
    return command


def _parameter(option: Declaration) -> click.Parameter:
    """An option as click has it. Its default is only a part of the help, so that click reports just what was given."""
    default, about = option.default, option.help
    if default is not None and default is not False and default != ():
        values = default if option.repeatable else (default,)
        about = f"{about}  [default: {' '.join(map(option.type.format, values))}]"
    if option.positional:
        return click.Argument([option.name], type=ClickType(option.type), required=False, help=about)
    if option.type is SWITCH:
        return click.Option([f"{option.flag}/--no-{option.flag[2:]}"], default=None, help=about)
    return click.Option(
        [option.flag], type=ClickType(option.type), multiple=option.repeatable, metavar=option.type.name, help=about
    )


def _place(param: click.Parameter) -> str:
    """What a parameter is called in messages: --max-age, or ROOT, also where --help has [ROOT]..."""
    return (
        param.opts[0] if isinstance(param, click.Option) else param.human_readable_name.removesuffix("...").strip("[]")
    )


def describe(error: click.UsageError, program: str = "") -> str:
    """What is wrong with a command line, in one line that names the option.

    program: "pwb" or "pwb-legacy" if that reads the options of this module; "" for a command with options of its own.
    """
    if isinstance(error, click.MissingParameter) and error.param is not None and error.ctx is not None:
        return f"{_place(error.param)} is missing: {error.ctx.command_path} {_values(error.param)}"
    if isinstance(error, click.BadParameter):
        return f"{_place(error.param) if error.param else 'command line'}: {error.message}"
    if isinstance(error, click.NoSuchOption):
        return f"{error.option_name}: no such option{_hint(error, program)}"
    if isinstance(error, click.BadOptionUsage):
        return f"{error.option_name}: {_usage(error)}"
    message = error.format_message()
    if program and message.startswith("Got unexpected extra argument"):
        return f"{message}: {_extra_argument(error, program)}"
    return message


def _values(param: click.Parameter) -> str:
    """The values that a parameter may have, or its name."""
    return "|".join(param.type.choices) if isinstance(param.type, click.Choice) else _place(param)


def _extra_argument(error: click.UsageError, program: str) -> str:
    """What to do about a second directory, a port without its option, or a command that there is not."""
    root = error.ctx.params.get("root") if error.ctx else None
    extra = error.message.rpartition("(")[2].removesuffix(")")
    if extra.isdigit():
        return f"a port is an option: {program} {root} --port {extra}"
    if root in _NO_COMMANDS:
        return f"ROOT is the only argument: {program} {extra}"
    return "ROOT is one directory; --mount /docs/=DIRECTORY serves another one, too"


def _usage(error: click.BadOptionUsage) -> str:
    """What is wrong with an option that lacks its value, or has one and is a switch."""
    flag = error.option_name
    option = DECLARATIONS.get(flag.removeprefix("--").removeprefix("no-").replace("-", "_"))
    if option is None:
        return error.message
    if option.type is SWITCH:
        return f"it takes no value: {option.flag} or --no-{option.flag[2:]}"
    return f"its value is missing: {flag} {option.type.name}"


def _hint(error: click.NoSuchOption, program: str) -> str:
    """What the user may have meant: an option of the other program, of another server, or one with a similar name."""
    if program == "pwb" and error.option_name in HABITS:
        return f" ({HABITS[error.option_name]})"
    word = error.option_name.lstrip("-")
    named = DECLARATIONS.get(word.replace("-", "_"))
    if program and named is not None and named.program:
        return f" (it is an option of {named.program})"
    params = error.ctx.command.params if error.ctx else ()
    return did_you_mean(word, [opt[2:] for param in params for opt in param.opts if opt[:2] == "--"], "--{}".format)
