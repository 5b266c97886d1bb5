"""The keyword arguments of Server, serve() and running(): every option of pwb, and the hooks of a server."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from pwb_async.config.keywords import Root, options_of
from pwb_async.config.option_values import OptionValues
from pwb_async.config.options import DECLARATIONS, ConfigError, Options
from pwb_async.core.site.access import ClientResolver, Guard
from pwb_async.observability.exchange import Observer
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.opening import open_context

EMBEDDED: Final[dict[str, Any]] = {"port": 0, "access_log": "off"}
"""The defaults of a server inside of a program that are not those of the command."""
_OF_A_PROCESS: Final = ("workers", "user", "sandbox")
"""Options that change the whole process, or need several."""


class Keywords(OptionValues, total=False):
    """The options of pwb, and the hooks of a server, which only a program can set."""

    guard: Guard | None
    """The function that may refuse a request."""
    resolve_client: ClientResolver | None
    """The function that finds the client of a request, in place of the trusted proxies."""
    observers: Sequence[Observer]
    """The functions that are called with each exchange."""


_HOOKS: Final = ("guard", "resolve_client", "observers")


class Settings(NamedTuple):
    """Keyword arguments that have been checked."""

    options: Options
    hooks: dict[str, Any]
    """Attributes of the server's context that no option sets."""

    def open_context(self, *, activated: bool = False) -> ServerContext:
        """Open what the options name. activated: as for open_context().

        Raises StartupError, or ConfigError for a mistake in a file of rules.
        """
        return open_context("pwb", self.options, activated=activated)._replace(**self.hooks)


def settings_of(
    root: Root,
    keywords: Mapping[str, Any],
    *,
    own_process: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> Settings:
    """Check keyword arguments; None stands for the default.

    own_process: whether the defaults are those of the command, and the options that change the process are allowed.
    defaults: those that are not the command's; None for EMBEDDED.

    Raises ConfigError if a value is wrong, TypeError if there is no option of that name.
    """
    values = {name: value for name, value in keywords.items() if name not in _HOOKS}
    hooks = {name: keywords[name] for name in _HOOKS if keywords.get(name) is not None}
    if "observers" in hooks:
        hooks["observers"] = tuple(hooks["observers"])
    options = options_of(root, values, None if own_process else defaults or EMBEDDED)
    for name in () if own_process else _OF_A_PROCESS:
        if getattr(options, name) != DECLARATIONS[name].default:
            raise ConfigError(f"{name} is for serve(), which has the process to itself.")
    return Settings(options, hooks)
