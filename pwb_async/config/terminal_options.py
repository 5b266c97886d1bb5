"""The options for people at a terminal, a part of those that options.py has."""

from dataclasses import dataclass

from .declarations import Topic, option
from .option_types import PROFILE, SWITCH


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # only Options is made
class TerminalOptions:
    """The options of `pwb` that make it pleasant to use by hand."""

    profile: str | None = option(
        Topic.TERMINAL,
        None,
        PROFILE,
        "Named set of options, which `pwb config --profile NAME` shows; any other source of an option wins.",
        program="pwb",
    )
    open: bool = option(Topic.TERMINAL, False, SWITCH, "Open the site in a browser.", program="pwb")
    qr: bool = option(
        Topic.TERMINAL, False, SWITCH, "Show a QR code of the address in the local network.", program="pwb"
    )
    quiet: bool = option(
        Topic.TERMINAL,
        False,
        SWITCH,
        "Print nothing but warnings and errors: neither where it listens, nor an access log on standard output.",
        program="pwb",
    )
