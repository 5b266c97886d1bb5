"""The command `pwb explain`: its options, what it prints, and its exit statuses.

Exit status 0: the response is explained, whatever it is; 1: nothing can be printed; 2: wrong use, or a request that a
server would find malformed.
"""

import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlsplit

import click

from pwb_async.config.command_line import Program, make_command, read_with
from pwb_async.config.loader import merge_settings
from pwb_async.config.options import ConfigError, Options
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.networks import parse_address
from pwb_async.observability.error_log import error_log_handler
from pwb_async.output.printing import print_error, report_lost_output
from pwb_async.runtime.context import StartupError

from .explainer import Explainer
from .explanation import Explanation
from .text import to_json, to_text

PROGRAM: Final = "pwb explain"
_ABOUT: Final = Program(
    "[OPTIONS]",
    "Print how a request for TARGET would be answered, and why: which rules apply, which file is found and why others "
    "are not, the content coding, and the origin of each field. No server has to run.",
    (
        ("pwb explain / ~/site", "which file the page of the site is, and the head of the response"),
        ("pwb explain /app.js ~/site -H 'Accept-Encoding: br'", "why it is compressed, or why it is not"),
        ("pwb explain http://a.example/old --from 192.0.2.1", "for the site of a host, and another client"),
        ("pwb explain /about ~/site --clean-urls --json", "the same for a program"),
    ),
)
_PEER: Final = "127.0.0.1"
_OWN: Final = (
    click.Argument(["target"], required=False, help="Target of the request, such as /a.txt?b, or a whole URL."),
    click.Option(["-H", "--field", "fields"], multiple=True, metavar="FIELD", help="Field of the request; repeatable."),
    click.Option(["-X", "--method"], metavar="METHOD", help="Method.  [default: GET]"),
    click.Option(
        ["--from", "peer"],
        metavar="ADDRESS",
        help=f"Address at the other end of the connection; unix: a Unix socket.  [default: {_PEER}]",
    ),
    click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."),
)
_NOT_RUNNING: Final[dict[str, Any]] = {
    "access_log": "off",
    "trace": None,
    "user": None,
    "sandbox": False,
    "unix_group": None,
    "redirect_https": None,
    "admin": None,
    "health": None,
    "delay_disk": (),
}
"""The values of options that only a server needs that runs."""
_SAFE: Final = "".join(map(chr, range(0x21, 0x7F)))
"""The characters of TARGET that stay as they are; others are escaped, as a browser does."""


def main() -> None:
    """Run the command with the arguments of this process."""
    status = 0
    logging.basicConfig(level=logging.WARNING, handlers=[error_log_handler(PROGRAM)])  # about rules
    try:
        run(sys.argv[2:])
    except click.exceptions.Exit as done:  # after --help or --version
        status = done.exit_code
    except (ConfigError, StartupError, ValueError) as error:
        print_error(f"{PROGRAM}: {error}")
        status = 2
    except OSError as error:  # standard output is closed or full
        report_lost_output(PROGRAM, error)
        status = 1
    raise SystemExit(status)


def explain_command() -> click.Command:
    """The command line."""
    return make_command("pwb", PROGRAM, _ABOUT, _OWN, epilog="All options of pwb count as well: pwb --help.")


def run(arguments: Sequence[str]) -> None:
    """Explain the request that the arguments describe.

    Raises ConfigError, StartupError or ValueError, each with a line about what is wrong.
    """
    given = list(read_with(explain_command(), "pwb", arguments))
    names = [param.name for param in _OWN]
    own = {name: value for name, _, value in given if name in names}
    options = merge_settings("pwb", (each for each in given if each[0] not in names), os.environ, ".", _warn).options
    if options.root == "/" and os.path.isdir(own.get("target") or ""):
        _warn(f"TARGET is a folder: TARGET stands in front of ROOT, pwb explain / {own['target']}")
    if options.live_reload:
        _warn("this is the response without --live-reload, which adds a script to pages and changes their caching")
    explanation = explain(options, _request(own, options), _peer(own.get("peer", _PEER)))
    colour = False if os.environ.get("NO_COLOR") else None
    for line in [to_json(explanation)] if "as_json" in own else to_text(explanation):
        click.echo(line, color=colour)


def explain(options: Options, wire: bytes, peer: str) -> Explanation:
    """The explanation of the response to the first request in `wire`. Raises ConfigError, StartupError, ValueError."""
    options = replace(options, **_NOT_RUNNING)
    explained = next(Explainer(f"{PROGRAM} TARGET", options).explain(wire, peer, int(time.time())), None)
    if explained is None:
        raise ValueError("the request is not complete")
    if isinstance(explained.event, BadRequest):
        raise ValueError(f"the request is malformed: {explained.event.detail}")
    return explained.explanation


def _warn(line: str) -> None:
    print_error(f"{PROGRAM}: {line}")


def _request(own: Mapping[str, Any], options: Options) -> bytes:
    """The bytes of the request. Raises ValueError."""
    target: str = own.get("target") or ""
    address = parse_address(options.host)
    authority = f"{'localhost' if address is not None and address.is_unspecified else options.host}:{options.port}"
    if target.lower().startswith(("http://", "https://")):
        try:
            url = urlsplit(target)
        except ValueError as error:
            raise ValueError(f"TARGET: {target!r} is no URL: {error}") from None
        authority, target = url.netloc, (url.path or "/") + (f"?{url.query}" if url.query else "")
    elif not target:
        raise ValueError("TARGET is missing: pwb explain TARGET [ROOT]")
    elif not target.startswith("/") and target != "*":
        raise ValueError(f"TARGET: {target!r} does not begin with a slash, as /a.txt does, or with http://")
    fields = [_field(text) for text in own.get("fields", ())]
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", authority))
    line = f"{own.get('method', 'GET')} {quote(os.fsencode(target), safe=_SAFE)} HTTP/1.1"
    lines = [line, *(f"{name}: {value}" for name, value in fields), "", ""]
    if any(c in line for line in lines for c in "\r\n"):
        raise ValueError("the request is malformed: a line break within a line")
    return "\r\n".join(lines).encode(errors="surrogateescape")


def _field(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name:
        raise ValueError(f"-H: {text!r} is no field such as 'Accept-Encoding: br'")
    return name, value.strip(" \t")


def _peer(text: str) -> str:
    """The address of the peer as servers have it. Raises ValueError."""
    if text == "unix":
        return "-"
    if parse_address(text) is None:
        raise ValueError(f"--from: {text!r} is no address such as 192.0.2.1 or 2001:db8::1")
    return text
