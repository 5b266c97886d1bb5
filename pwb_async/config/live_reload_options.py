"""The options of live reload, a part of those that options.py has."""

from dataclasses import dataclass

from .declarations import Topic, option
from .option_types import FILE_GLOB, SWITCH


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # only Options is made
class LiveReloadOptions:
    """The options of live reload."""

    live_reload: bool = option(
        Topic.LIVE_RELOAD,
        False,
        SWITCH,
        "Reload pages in browsers when files change; for development only.",
        program="pwb",
    )
    live_reload_ignore: tuple[str, ...] = option(
        Topic.LIVE_RELOAD,
        (),
        FILE_GLOB,
        "Files and directories whose changes do not count, such as '*.map' or /drafts; repeatable.",
        program="pwb",
        needs="live_reload",
    )
