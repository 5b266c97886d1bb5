"""The options of an application: those of the command, but for what its server decides."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from pwb_async.config.declarations import Topic
from pwb_async.config.keywords import Root
from pwb_async.config.options import DECLARATIONS, ConfigError, Options
from pwb_async.embedding.keywords import settings_of
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.opening import open_context

_TOPICS: Final = (
    Topic.LIVE_RELOAD, Topic.LISTENING, Topic.TLS, Topic.TERMINAL, Topic.PROCESS, Topic.LOGGING, Topic.OPERATION,
    Topic.TIMEOUTS,
)  # fmt: skip
"""What the server does, if it has options for that."""
_NAMES: Final = (
    "server_version", "proxy_protocol",
    "max_connections", "max_connections_per_ip", "requests_per_connection", "max_content", "max_send_rate",
    "max_total_send_rate",
)  # fmt: skip
"""Further options of which the server decides: they are about connections, or about its own field Server."""
OF_THE_SERVER: Final = frozenset((*_NAMES, *(name for name, each in DECLARATIONS.items() if each.topic in _TOPICS)))
"""The options that no application has."""


def open_application(root: Root, keywords: Mapping[str, Any], without: Collection[str] = ()) -> ServerContext:
    """Open the directory of an application.

    root, keywords: as for pwb_async.Server. What the server decides is ignored in the file that `config` names, as this
    may be the file of the command, too. without: further options that this kind of application has not. Raises
    ConfigError or StartupError, and TypeError for an unknown option.
    """
    for name, value in keywords.items():
        if value is not None and name in OF_THE_SERVER:
            raise ConfigError(f"argument {name}: it is left to the server that runs the application.")
        if value is not None and name in without:
            raise ConfigError(f"argument {name}: it has no meaning here.")
    settings = settings_of(root, keywords, own_process=True)
    options = _as_application(settings.options)
    options = replace(
        options, sites=tuple(site._replace(options=_as_application(site.options)) for site in options.sites)
    )
    return open_context("pwb", options, sockets=[])._replace(**settings.hooks)


def _as_application(options: Options) -> Options:
    """The options without those of the server; the scheme is that of each request."""
    defaults = {name: DECLARATIONS[name].default for name in OF_THE_SERVER} | {"access_log": "off"}
    return replace(options, **defaults, scheme_is_reported=True)
