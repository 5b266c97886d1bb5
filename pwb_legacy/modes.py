"""What is done with the designs of pwb_async/config/modes.py: one is loaded, or its lines are counted.

A design's module is imported only when it is chosen: no design loads the libraries of another, and gevent can patch the
standard library before other modules use it.
"""

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pwb_async.config.modes import MODES

if TYPE_CHECKING:
    from pwb_legacy.common.http_server import HTTPServer


_FOLDER: Final = Path(__file__).parents[1]
"""Where pwb_legacy is."""


def load_design(mode: str) -> type["HTTPServer"]:
    """Import the class of a mode. Raises LookupError where the platform lacks what it requires."""
    chosen = MODES[mode]
    if chosen.requires and not _has(chosen.requires):
        raise LookupError(f"--mode {mode} needs {chosen.requires}, which this Python lacks")
    module, _, name = chosen.class_path.partition(":")
    found: type[HTTPServer] = getattr(import_module(f".{module}", __package__), name)
    return found


def count_lines(mode: str) -> tuple[int, int]:
    """The lines of a design's own file, and those of all other files of pwb_legacy that it imports, directly or not."""
    own = f"{__package__}.{MODES[mode].module}"
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
