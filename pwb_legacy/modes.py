"""The designs by the names of --mode.

A design's module is imported only when it is chosen: no design loads the libraries of another, and gevent can patch the
standard library before other modules use it.
"""

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pwb_legacy.common.http_server import HTTPServer


_FOLDER: Final = Path(__file__).parents[1]
"""Where pwb_legacy is."""


class Mode(NamedTuple):
    """One line of the list of modes."""

    target: str
    """The class of the design, as module:Class."""
    summary: str
    """One line of help."""
    requires: str = ""
    """What the platform must have, as module.name; "" for nothing."""


MODES: Final = {
    "fixed": Mode("fixed_page:FixedPageServer", "one fixed page, one client at a time"),
    "single": Mode("single:SingleServer", "files, one client at a time"),
    "thread": Mode("threads:ThreadServer", "a thread for each client"),
    "process": Mode("processes:ProcessServer", "a forked process for each client", "os.fork"),
    "gevent": Mode("greenlets:GreenletServer", "a greenlet for each client", "gevent.spawn"),
    "epoll": Mode("epoll:EpollServer", "one thread; epoll reports which sockets are ready", "select.epoll"),
    "epoll-thread": Mode(
        "epoll_threads:EpollThreadServer", "epoll for the sockets, threads for the work", "select.epoll"
    ),
}


def load_design(mode: str) -> type["HTTPServer"]:
    """Import the class of a mode. Raises LookupError where the platform lacks what it requires."""
    target, _, requires = MODES[mode]
    if requires and not _has(requires):
        raise LookupError(f"--mode {mode} needs {requires}, which this Python lacks")
    module, _, name = target.partition(":")
    found: type[HTTPServer] = getattr(import_module(f".{module}", __package__), name)
    return found


def count_lines(mode: str) -> tuple[int, int]:
    """The lines of a design's own file, and those of all other files of pwb_legacy that it imports, directly or not."""
    own = f"{__package__}.{MODES[mode].target.partition(':')[0]}"
    counts: dict[str, int] = {}
    names = [own]
    while names:
        if (name := names.pop()) not in counts:
            text = (_FOLDER / f"{name.replace('.', '/')}.py").read_text("utf-8")
            counts[name] = len(text.splitlines())
            names += _imports(name, ast.parse(text))
    return counts.pop(own), sum(counts.values())


def _imports(name: str, tree: ast.Module) -> Iterator[str]:
    """The modules of pwb_legacy from which the module called `name` imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found = resolve_name("." * node.level + (node.module or ""), name.rpartition(".")[0])
            if found.startswith(f"{__package__}."):
                yield found


def _has(requires: str) -> bool:
    module, _, name = requires.rpartition(".")
    try:
        return hasattr(import_module(module), name)
    except ImportError:
        return False
