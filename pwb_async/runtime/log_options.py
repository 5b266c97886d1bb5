"""The access log, as the options describe it."""

import os
import sys
from typing import Final

from pwb_async.config.options import Options
from pwb_async.observability.access_log import STANDARD_OUTPUT, AccessLog
from pwb_async.observability.combined_format import format_combined
from pwb_async.observability.exchange import Format
from pwb_async.output.colours import has_colours, is_terminal

OFF: Final = "off"
"""The value of --access-log for none."""


def open_log(program: str, options: Options) -> AccessLog | None:
    """The access log; None for none. Raises OSError."""
    target = options.access_log
    if target == OFF or (options.quiet and target == STANDARD_OUTPUT):
        return None
    return AccessLog(target, _find_format(program, options))


def is_same_log(old: Options, new: Options) -> bool:
    """Whether a reload keeps the log as it is."""
    return all(getattr(old, name) == getattr(new, name) for name in ("access_log", "log_format", "quiet"))


def _find_format(program: str, options: Options) -> Format:
    """The format of --log-format, which is an option of pwb alone."""
    name = options.log_format
    if program == "pwb-legacy":
        name = "combined"
    elif name is None:
        on_terminal = options.access_log == STANDARD_OUTPUT and is_terminal(sys.stdout)
        name = "pretty" if on_terminal else "combined"
    if name == "json":
        from pwb_async.observability.json_format import format_json

        return format_json
    if name == "pretty":
        from pwb_async.observability.pretty_format import pretty_format

        colours = options.access_log == STANDARD_OUTPUT and has_colours(sys.stdout, os.environ)
        return pretty_format(colours=colours, encoding=sys.stdout.encoding if sys.stdout else "utf-8")
    return format_combined
