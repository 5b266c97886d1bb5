"""Live reload, as the options describe it."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pwb_async.config.options import Options
from pwb_async.config.places import root_path
from pwb_async.core.site.responder import Responder
from pwb_async.live_reload.events import ReloadEvents
from pwb_async.live_reload.pages import LivePages

logger: Final = logging.getLogger("pwb")


def with_live_reload(program: str, options: Options) -> Options:
    """The options with what live reload demands of them: each file is looked at for each response.

    The raw sockets of pwb-legacy send no response without an end, but it may have the same TOML file.
    """
    if program == "pwb-legacy":
        return replace(options, live_reload=False)
    if options.workers != 1:
        logger.warning("one process serves, whatever --workers is: --live-reload")
    return replace(options, cache=0)


def make_events() -> ReloadEvents:
    """The event stream of a server."""
    return ReloadEvents()


def with_live_pages(events: ReloadEvents, sites: Sequence[Responder], options: Sequence[Options]) -> list[Responder]:
    """The sites, whose pages follow the events. options: those of each."""
    return [LivePages(site, events, root_path(each)) for site, each in zip(sites, options, strict=True)]
