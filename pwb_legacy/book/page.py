"""book.html: the matrix, and below it each defect with all its cells, as one page that needs no network."""

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pwb_async.version import __version__

from .attacks.outcome import Mark
from .matrix import Cell
from .places import cause, cures
from .words.catalogue import Words

_HERE: Final = Path(__file__).parent
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader([_HERE, _HERE.parent / "compare" / "report"]),  # the style is that of the laboratory
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_CODE: Final = re.compile("`([^`]*)`")
SIGNS: Final = {Mark.DEFECT: "✗", Mark.HELD: "✓", Mark.OTHER: "?"}


def with_code(sentence: str) -> Markup:
    """A sentence as HTML, in which what stands in backticks is code."""
    parts = _CODE.split(sentence)
    marked = (Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts))
    return Markup("").join(marked)


_TEMPLATES.filters["with_code"] = with_code


def render(cells: Sequence[Cell], words: Words, command: str) -> str:
    """The whole page. command: what it was made by."""
    programs = list({cell.program.name: cell.program for cell in cells}.values())
    codes = [code for code in words.defects if any(cell.code == code for cell in cells)]
    by_name = {(cell.program.name, cell.code): cell for cell in cells}
    return _TEMPLATES.get_template("book.html").render(
        words=words,
        text=words.text,
        signs=SIGNS,
        marks=list(Mark),
        programs=programs,
        exhibits=[program for program in programs if program.is_exhibit],
        designs=[program for program in programs if not program.is_exhibit],
        rows=[
            {
                "code": code,
                "defect": words.defects[code],
                "cures": cures(code),
                "cells": [_row(by_name[program.name, code], words) for program in programs],
            }
            for code in codes
        ],
        summary=summary(cells, words),
        version=__version__,
        date=dt.date.today().isoformat(),
        command=command,
    )


def summary(cells: Sequence[Cell], words: Words) -> str:
    """The run in a sentence."""
    book = [cell.outcome.mark for cell in cells if cell.program.is_exhibit]
    pwb = [cell.outcome.mark for cell in cells if not cell.program.is_exhibit]
    bad = len(pwb) - pwb.count(Mark.HELD)
    verdict = words.text["pwb-fails" if bad else "pwb-holds"].format(failures=bad, cells=len(pwb))
    return words.text["summary"].format(
        defects=book.count(Mark.DEFECT), cells=len(book), others=book.count(Mark.OTHER), pwb=verdict
    )


def _row(cell: Cell, words: Words) -> dict[str, Any]:
    mark = cell.outcome.mark
    return {
        "program": cell.program,
        "mark": mark,
        "result": words.result(cell.outcome),
        "cause": cause(cell.program.name, cell.code) if cell.program.is_exhibit and mark is Mark.DEFECT else None,
        "command": f"pwb-legacy book {cell.program.name} {cell.code}",
    }
