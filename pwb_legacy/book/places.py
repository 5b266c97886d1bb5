"""Where a defect and its cure are: files and lines, found anew each time, so that no number is written down.

The cause is the line of an exhibit whose comment has the code of the defect; an exhibit that inherits the line from
another one has it there. The cure is a symbol of PWB, which is looked up in the source.
"""

import ast
import re
from pathlib import Path
from typing import Final, NamedTuple

_ROOT: Final = Path(__file__).parents[2]
_EXHIBITS: Final = "pwb_legacy/book/exhibits"

CURES: Final = {
    "L1": ("pwb_async.storage.open_beneath:openat2", "pwb_async.storage.open_beneath:openat_walk"),
    "L2": ("pwb_async.core.http1.connection:Connection.receive_data",),
    "L3": ("pwb_async.core.http1.parser:RequestParser.parse", "pwb_async.core.events:BadRequest"),
    "L4": ("pwb_async.storage.errors:finding_of",),
    "L5": ("pwb_legacy.common.outgoing:ResponseSender.send",),
    "L6": ("pwb_legacy.common.outgoing:read_parts", "pwb_async.server.sendfile:FileTransfer"),
    "L7": ("pwb_async.core.site.site:Site.locate", "pwb_async.core.site.site:Site.reply"),
    "L8": ("pwb_legacy.common.acceptor:Acceptor.start_lingering_close",),
    "L9": ("pwb_legacy.common.acceptor:Acceptor.accept", "pwb_async.server.acceptor:Acceptor"),
    "L10": ("pwb_async.core.deadlines:Deadline.arm",),
    "L11": (
        "pwb_legacy.common.child_process:Children._let_go",
        "pwb_legacy.common.child_process:Children.reap",
    ),
    "L12": ("pwb_legacy.greenlets:monkey.patch_all",),
    "L13": ("pwb_legacy.epoll:EpollServer._accept",),
    "L14": ("pwb_legacy.epoll:EpollServer._add_client",),
    "L15": ("pwb_legacy.epoll:EpollServer._step",),
    "L16": ("pwb_legacy.epoll_threads:EpollThreadServer.handlerequest",),
    "L17": ("pwb_legacy.epoll_threads:EpollThreadServer._take_back",),
    "L18": ("pwb_legacy.epoll_threads:THREADS",),
    "L19": ("pwb_async.network.listeners:BACKLOG", "pwb_legacy.common.http_server:HTTPServer.on_signal"),
    "L20": ("pwb_async.observability.access_log:AccessLog.flush",),
}
"""The symbols of PWB that hold against a defect, as module:name."""


class Place(NamedTuple):
    """A line of a file."""

    file: str
    """below the folder that holds the packages"""
    line: int
    text: str
    """the code of the line, or the symbol"""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def cause(number: str, code: str) -> Place | None:
    """The line of an exhibit that has a defect; None: no line has it."""
    file = f"{_EXHIBITS}/pwb{number}.py"
    source = (_ROOT / file).read_text()
    lines = source.splitlines()
    for index, line in enumerate(lines):
        text, mark, comment = line.partition("#")
        if mark and re.search(rf"\b{code}\b", comment):
            while not text.strip():  # a comment on a line of its own is about the next one
                index += 1
                text = lines[index].partition("#")[0]
            return Place(file, index + 1, text.strip())
    base = re.search(r"^from \.pwb(\d) import", source, re.MULTILINE)
    return cause(base[1], code) if base else None


def cures(code: str) -> list[Place]:
    """Where PWB holds against a defect."""
    return [resolve(symbol) for symbol in CURES[code]]


def resolve(symbol: str) -> Place:
    """The place of module:name, where the name may have dots. Raises LookupError."""
    module, _, name = symbol.partition(":")
    file = module.replace(".", "/") + ".py"
    node: ast.AST = ast.parse((_ROOT / file).read_text())
    found = _named(node, name)
    if found is None:
        for part in name.split("."):
            found = _named(node, part)
            if found is None:
                raise LookupError(f"{file} has no {name}")
            node = found
    assert found is not None
    return Place(file, found.lineno, name)


def _named(node: ast.AST, name: str) -> ast.stmt | None:
    """The definition, the assignment or the call of a name among the statements of a module or class."""
    return next((child for child in getattr(node, "body", ()) if name in _names(child)), None)


def _names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [ast.unparse(target) for target in targets]
        case ast.AnnAssign(target=target):
            return [ast.unparse(target)]
        case ast.Expr(value=ast.Call(func=function)):
            return [ast.unparse(function)]
    return []
