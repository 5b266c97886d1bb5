"""The source of the designs beside their timeline, as it is when the page is built.

Sources are read and never imported: an import of the gevent design would patch this process.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
_PROTOCOL: Final = "pwb_async/server/http_protocol.py"
IDEAS: Final = {
    "fixed": ("pwb_legacy/fixed_page.py", "def make_response("),
    "single": ("pwb_legacy/single.py", "self.handlerequest(client)"),
    "thread": ("pwb_legacy/threads.py", "Thread(target=self.handlerequest"),
    "process": ("pwb_legacy/processes.py", "self.children.start(client"),
    "gevent": ("pwb_legacy/greenlets.py", "gevent.spawn(self.handlerequest"),
    "epoll": ("pwb_legacy/epoll.py", "self._poll(self._poll_timeout())"),
    "epoll-thread": ("pwb_legacy/epoll_threads.py", "self._jobs.put("),
    "async": (_PROTOCOL, "response = cache.get(event, now)"),
    "async-uncached": (_PROTOCOL, "state.find(located).add_done_callback("),
    "async-asyncio": (_PROTOCOL, "response = cache.get(event, now)"),
}
"""The file of each design, and a piece of the line that is its whole idea."""


@dataclass(frozen=True, slots=True)
class Source:
    """Some consecutive lines of a file."""

    file: str
    name: str
    """Of the function; "" for a whole file."""
    first: int
    """The number of the first line."""
    lines: tuple[str, ...]


def design_source(name: str) -> tuple[Source | None, int]:
    """The whole file of a design, and the number of the line that is its idea; None and 0 for an unknown design."""
    if name not in IDEAS:
        return None, 0
    file, piece = IDEAS[name]
    lines = _lines(file)
    (idea,) = [number for number, line in enumerate(lines, 1) if piece in line]
    return Source(file, "", 1, lines), idea


@cache
def function_at(file: str, line: int) -> Source | None:
    """The innermost function around a line; None if there is none, or no such file."""
    found = None
    for node in _functions(file):
        if node.lineno <= line <= (node.end_lineno or 0):
            found = node  # ast.walk() goes from the outside to the inside
    if found is None:
        return None
    lines = _lines(file)[found.lineno - 1 : found.end_lineno]
    return Source(file, found.name, found.lineno, lines)


@cache
def _functions(file: str) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    tree = ast.parse("\n".join(_lines(file)))
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def _lines(file: str) -> tuple[str, ...]:
    """The lines of a file of PWB; none if a timeline names a file that is not there."""
    path = (ROOT / file).resolve()
    return tuple(path.read_text("utf-8").splitlines()) if path.is_relative_to(ROOT) and path.is_file() else ()
