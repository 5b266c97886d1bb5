"""The timeline of --trace."""

from typing import TYPE_CHECKING

from pwb_async.config.options import Options

if TYPE_CHECKING:
    from pwb_async.observability.trace_events import TraceWriter


def open_trace(program: str, options: Options) -> "TraceWriter | None":
    """The timeline that the options name; None without --trace. Raises OSError."""
    if options.trace is None:
        return None
    from pwb_async.observability.trace_events import TraceWriter  # most servers need no timeline

    return TraceWriter(options.trace, f"{program} --mode {options.mode}" if program == "pwb-legacy" else program)
