"""PWB: a static web server."""

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .config.options import Options

__all__ = ["Options", "__version__"]

_MODULES = {"Options": "pwb_async.config.options"}
"""Public names, and the modules that define them. They are imported on first use: `import pwb_async` stays cheap."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
