"""Every public definition of the packages has a docstring, and docstrings and comments keep to the rules of CONTRIBUTING.md.

The sources are read with ast. A module, class, function or method is public if neither its own name nor one around it
begins with an underscore; definitions inside functions are not public. A method needs no docstring of its own if it

  - overrides a method that has one in a class of the packages, or one of LIBRARY_METHODS, or
  - belongs to an implementation of a typing.Protocol of the packages in which it has one.

docstrings_left.toml lists the offenders that are left. Nothing may be added to it.
"""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parents[1]
PACKAGES = ("pwb_async", "pwb_legacy")
MAX_LINES = 320
PEOPLE = re.compile(r"\b(who|whoever|nobody|somebody|anybody|knows)\b", re.IGNORECASE)
"""Words for people, as which programs and connections must not be described."""
LIBRARY_METHODS = {
    *("connection_made", "connection_lost", "data_received", "eof_received", "pause_writing", "resume_writing"),
    *("emit", "format", "convert", "get_metavar"),
}
"""Methods that asyncio.Protocol, logging.Handler, logging.Formatter and click.ParamType document."""
LEFT: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("docstrings_left.toml").read_text())
"""The offenders that are left, by the name of the function that finds them."""

NOT_VERBS = {
    *("Answers", "Bytes", "Clients", "Columns", "Connections", "Descriptors", "Designs", "Heads"),
    *("Lines", "Measurements", "Milliseconds", "Moments", "Names", "Percentages", "Pieces", "Pixels"),
    *("Powers", "Requests", "Responses", "Seconds", "Signals", "Status", "Targets", "Threads"),
}
"""The nouns with which the docstring of a function begins, but which end as a verb in the third person does."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


class Definition(NamedTuple):
    """A module, class, function or method of the packages."""

    file: Path
    qualified_name: str
    """The dotted name inside the module: empty for the module itself."""
    node: Documented
    parent: Documented | None

    @property
    def place(self) -> str:
        """Where the definition stands, as in `pwb_async/core/events.py: BadRequest`."""
        return f"{self.file.relative_to(HERE)}: {self.qualified_name or 'module'}"

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring on one line; empty where there is none."""
        docstring = ast.get_docstring(self.node) or ""
        return " ".join(docstring.split("\n\n")[0].split())


def files() -> list[Path]:
    """Every Python file of the packages."""
    return sorted(path for package in PACKAGES for path in (HERE / package).rglob("*.py"))


@cache
def definitions() -> list[Definition]:
    """Every public definition of the packages."""

    def below(file: Path, node: Documented, parent: Documented | None, name: str) -> Iterator[Definition]:
        yield Definition(file, name, node, parent)
        if not isinstance(node, Function):
            for child in node.body:
                if isinstance(child, ast.ClassDef | Function) and not child.name.startswith("_"):
                    yield from below(file, child, node, f"{name}.{child.name}".lstrip("."))

    return [found for path in files() for found in below(path, ast.parse(path.read_text()), None, "")]


@cache
def classes() -> dict[str, list[ast.ClassDef]]:
    """The public and private classes of the packages, by name."""
    found: dict[str, list[ast.ClassDef]] = {}
    for path in files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(node)
    return found


def bases(node: ast.ClassDef) -> Iterator[ast.ClassDef]:
    """The base classes of a class that belong to the packages, and theirs; they are found by name."""
    for base in node.bases:
        for found in classes().get(ast.unparse(base).split(".")[-1], []):
            if found is not node:
                yield found
                yield from bases(found)


def members(node: ast.ClassDef) -> set[str]:
    """The names of a class's own methods, and of the attributes that they set on `self`."""
    attributes = {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store) and ast.unparse(each.value) == "self"
    }
    return attributes | {each.name for each in node.body if isinstance(each, Function)}


def documented_methods(node: ast.ClassDef) -> set[str]:
    """The names of a class's own methods that have a docstring."""
    return {each.name for each in node.body if isinstance(each, Function) and ast.get_docstring(each)}


@cache
def protocols() -> list[ast.ClassDef]:
    """The classes of the packages that are a typing.Protocol."""
    every = [node for nodes in classes().values() for node in nodes]
    return [node for node in every if any(ast.unparse(base).startswith("Protocol") for base in node.bases)]


def has_documented_base(found: Definition) -> bool:
    """Whether a base class or a typing.Protocol documents the method."""
    if not isinstance(found.parent, ast.ClassDef) or not isinstance(found.node, Function):
        return False
    line = [found.parent, *bases(found.parent)]
    names = {name for each in line for name in members(each)}
    implemented = [each for each in protocols() if members(each) <= names]
    in_library = found.node.name in LIBRARY_METHODS and any(each.bases for each in line)
    return in_library or any(found.node.name in documented_methods(each) for each in [*line[1:], *implemented])


def undocumented() -> list[str]:
    """The public definitions without a docstring."""
    return [each.place for each in definitions() if not each.summary and not has_documented_base(each)]


def is_sentence(summary: str) -> bool:
    """Whether a summary reads as a sentence: at least three words, a capital at the start, a full stop or colon at the end.

    It must not begin as a list of parameters does, with names and a colon. It may lack a verb, as CONTRIBUTING.md allows
    where a noun phrase names the thing: `The limits of a request head.`
    """
    begins_with_parameter = re.match(r"[`*]*\w+[`*]*(, [`*]*\w+[`*]*)*: ", summary) is not None
    is_whole = len(summary.split()) >= 3 and summary.endswith((".", ":", ".)"))
    return is_whole and not summary[0].islower() and not begins_with_parameter


def class_docstrings() -> list[str]:
    """The public classes whose docstring does not begin with a sentence."""
    return [
        each.place
        for each in definitions()
        if isinstance(each.node, ast.ClassDef) and each.summary and not is_sentence(each.summary)
    ]


def not_imperative() -> list[str]:
    """The functions, private ones too, whose docstring begins with Return, or with a verb in the third person but Raises."""
    found = []
    for path in files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function) and (docstring := ast.get_docstring(node)):
                first = re.split(r"\W", docstring, maxsplit=1)[0]
                third_person = re.fullmatch(r"[A-Z][a-z]+[^s]s", first) and first not in {*NOT_VERBS, "Raises"}
                if first == "Return" or third_person or re.search(r"(^|[.;]\s+)Returns ", docstring):
                    found.append(f"{path.relative_to(HERE).as_posix()}: {node.name}: {first}")
    return found


def long_files() -> list[str]:
    """The files with more than MAX_LINES lines."""
    return [path.relative_to(HERE).as_posix() for path in files() if len(path.read_text().splitlines()) > MAX_LINES]


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """The comments of a file and the lines of its docstrings, each with its line number.

    A docstring is any string that is a statement of its own, those below attributes included.
    """
    source = path.read_text()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield from enumerate(text.splitlines(), node.lineno)


def people_lines() -> dict[str, list[str]]:
    """The lines of docstrings and comments that contain a word of PEOPLE, by file."""
    found: dict[str, list[str]] = {}
    for path in files():
        for number, text in prose(path):
            if PEOPLE.search(text):
                found.setdefault(path.relative_to(HERE).as_posix(), []).append(f"{number}: {text.strip()}")
    return found


def people() -> list[str]:
    """The files whose docstrings or comments contain a word of PEOPLE."""
    return list(people_lines())


@pytest.mark.parametrize("offenders", [undocumented, class_docstrings, not_imperative, long_files, people])
def test_no_offender_is_new_and_none_that_is_mended_is_listed(offenders: Callable[[], list[str]]) -> None:
    found, left = set(offenders()), set(LEFT[offenders.__name__])
    assert not found - left, {place: people_lines().get(place, "") for place in sorted(found - left)}
    assert not left - found, f"mended, so remove it from docstrings_left.toml: {sorted(left - found)}"


if __name__ == "__main__":
    for find in (undocumented, class_docstrings, not_imperative, long_files):
        print(f"{find.__name__}:", *find(), sep="\n  ")
    for file, lines in people_lines().items():
        print(f"people: {file}", *lines, sep="\n  ")
