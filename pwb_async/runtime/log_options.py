"""The access log, as the options describe it."""

import os
import sys
from collections.abc import Callable
from typing import Final

from pwb_async.config.options import Options
from pwb_async.observability.access_log import STANDARD_OUTPUT, AccessLog
from pwb_async.observability.combined_format import format_combined
from pwb_async.observability.exchange import Exchange, Format
from pwb_async.output.colours import has_colours, is_terminal

OFF: Final = "off"
"""The value of --access-log for none."""
_LOG_OPTIONS: Final = ("access_log", "log_format", "log_exclude", "log_sample", "quiet")


def open_log(program: str, options: Options) -> AccessLog | None:
    """The access log; None for none. Raises OSError."""
    target = options.access_log
    if target == OFF or (options.quiet and target == STANDARD_OUTPUT):
        return None
    return AccessLog(target, _find_format(program, options), _find_selection(options))


def is_same_log(old: Options, new: Options) -> bool:
    """Whether a reload keeps the log as it is."""
    return all(getattr(old, name) == getattr(new, name) for name in _LOG_OPTIONS)


def _find_selection(options: Options) -> Callable[[Exchange], bool] | None:
    if not options.log_exclude and options.log_sample == 100:
        return None
    from pwb_async.observability.log_selection import select  # most logs have everything

    return select(options.log_exclude, options.log_sample)


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
