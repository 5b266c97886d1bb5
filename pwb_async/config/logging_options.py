"""The options of the access log and the timeline, a part of those that options.py has."""

from dataclasses import dataclass
from typing import Final

from pwb_async.core.site.patterns import parse_pattern

from .declarations import Topic, option
from .option_types import LOG_FORMAT, PATH, PERCENT_OR_0, OptionType


def _pattern(text: str) -> str:
    """A pattern of paths, as rules have them, but without a host."""
    try:
        pattern = parse_pattern(text)
    except ValueError as error:
        raise ValueError(f"is not a pattern: {error}") from None
    if pattern.host is not None:
        raise ValueError("has a host")
    return text


_PATTERN: Final = OptionType("PATTERN", _pattern, toml_string="/healthz")


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # only Options is made
class LoggingOptions:
    """The options of the access log and the timeline."""

    access_log: str = option(Topic.LOGGING, "-", PATH, "Access log; -: standard output; off: none.")
    log_format: str | None = option(
        Topic.LOGGING,
        None,
        LOG_FORMAT,
        "Format of the access log (if not given: pretty on a terminal, else combined).",
        program="pwb",
    )
    log_exclude: tuple[str, ...] = option(
        Topic.LOGGING,
        (),
        _PATTERN,
        "Paths whose requests are not logged, such as /healthz or '/assets/*'; repeatable.",
    )
    log_sample: int = option(
        Topic.LOGGING, 100, PERCENT_OR_0, "Percent of the requests that are logged; errors are logged all the same."
    )
    trace: str | None = option(Topic.LOGGING, None, PATH, "Write a timeline for Perfetto to this file; overwrites it.")
