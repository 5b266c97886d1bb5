"""PWB: a static web server."""

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .config.option_values import OptionValues
    from .config.options import ConfigError, Options
    from .core.semantics.messages import Request, Response
    from .core.site.access import ClientResolver, Guard
    from .embedding.blocking import running, serve
    from .embedding.served_site import ServedSite, SiteFactory
    from .embedding.server import Server
    from .observability.exchange import Exchange, Observer
    from .runtime.context import StartupError

__all__ = [
    "ClientResolver",
    "ConfigError",
    "Exchange",
    "Guard",
    "Observer",
    "OptionValues",
    "Options",
    "Request",
    "Response",
    "ServedSite",
    "Server",
    "SiteFactory",
    "StartupError",
    "__version__",
    "running",
    "serve",
]

_MODULES = {
    "ClientResolver": "pwb_async.core.site.access",
    "ConfigError": "pwb_async.config.options",
    "Exchange": "pwb_async.observability.exchange",
    "Guard": "pwb_async.core.site.access",
    "Observer": "pwb_async.observability.exchange",
    "OptionValues": "pwb_async.config.option_values",
    "Options": "pwb_async.config.options",
    "Request": "pwb_async.core.semantics.messages",
    "Response": "pwb_async.core.semantics.messages",
    "ServedSite": "pwb_async.embedding.served_site",
    "Server": "pwb_async.embedding.server",
    "SiteFactory": "pwb_async.embedding.served_site",
    "StartupError": "pwb_async.runtime.context",
    "running": "pwb_async.embedding.blocking",
    "serve": "pwb_async.embedding.blocking",
}
"""Public names, and the modules that define them. They are imported on first use: `import pwb_async` stays cheap."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
