"""The results in a terminal of 80 columns: the matrix, a program with all its cells, or a single cell."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

import click

from .attacks.outcome import Mark
from .matrix import Cell
from .places import cause, cures
from .programs import DESIGNS, EXHIBITS
from .words.catalogue import Words

_SIGNS: Final = {Mark.DEFECT: "x", Mark.HELD: ".", Mark.OTHER: "?"}
_COLOURS: Final = {Mark.DEFECT: "red", Mark.HELD: "green", Mark.OTHER: "yellow"}
_TITLE: Final = 49


def width(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def padded(text: str, columns: int) -> str:
    """A text with spaces behind it, as wide as asked for."""
    return text + " " * max(0, columns - width(text))


def sign(mark: Mark) -> str:
    """A mark as a letter, in colour where there is a terminal."""
    return click.style(_SIGNS[mark], fg=_COLOURS[mark])


def matrix(cells: Sequence[Cell], words: Words) -> Iterator[str]:
    """A row for each defect, a column for each program."""
    marks = {(cell.program.name, cell.code): cell.outcome.mark for cell in cells}
    codes = [code for code in words.defects if any(cell.code == code for cell in cells)]
    numbers = " ".join(program.name for program in EXHIBITS)
    yield f"{'':5}{padded('', _TITLE)} {padded(words.text['book'], len(numbers))}  {words.text['pwb']}"
    yield f"{'':5}{padded('', _TITLE)} {numbers}  {''.join(str(index) for index in range(1, len(DESIGNS) + 1))}"
    for code in codes:
        book = " ".join(sign(marks[program.name, code]) for program in EXHIBITS)
        pwb = "".join(sign(marks[program.name, code]) for program in DESIGNS)
        yield f"{code:5}{padded(words.defects[code].title, _TITLE)} {book}  {pwb}"
    yield ""
    yield legend(words)
    names = " ".join(f"{index} {program.name}" for index, program in enumerate(DESIGNS, 1))
    yield f"{words.text['pwb']}{words.text['colon']}{names}"


def legend(words: Words) -> str:
    """What the signs mean."""
    return "   ".join(f"{sign(mark)} {words.marks[mark]}" for mark in Mark)


def column(cells: Sequence[Cell], words: Words) -> Iterator[str]:
    """All cells of a program, with their results."""
    for cell in cells:
        yield f"{sign(cell.outcome.mark)} {cell.code:4}{words.defects[cell.code].title}"
        yield from _wrapped(words.result(cell.outcome), 6)
    yield ""
    yield legend(words)


def details(cell: Cell, words: Words) -> Iterator[str]:
    """Everything about one cell."""
    defect, text = words.defects[cell.code], words.text
    colon = text["colon"]
    yield f"{cell.program.name}{colon}{words.programs[cell.program.name]}"
    yield f"{cell.code}{colon}{defect.title}"
    yield f"{sign(cell.outcome.mark)} {words.marks[cell.outcome.mark]}"
    yield from _paragraph(text["harm"], defect.harm)
    yield from _paragraph(text["attack"], defect.attack)
    yield from _paragraph(text["result"], words.result(cell.outcome))
    place = cause(cell.program.name, cell.code) if cell.program.is_exhibit else None
    if place is not None and cell.outcome.mark is Mark.DEFECT:
        yield from _paragraph(text["cause"], f"{place}\n{place.text}")
    yield from _paragraph(text["cure"], "\n".join([defect.cure, *(f"{cure} {cure.text}" for cure in cures(cell.code))]))


def _paragraph(heading: str, body: str) -> Iterator[str]:
    yield ""
    yield heading
    for line in body.splitlines():
        yield from _wrapped(line, 2)


def _wrapped(text: str, indent: int, columns: int = 80) -> Iterator[str]:
    """Lines of a width in columns; a line may end after any Chinese character."""
    line = " " * indent
    for word in _words(text):
        if width(line) + width(word.rstrip()) > columns and line.strip():
            yield line.rstrip()
            line = " " * indent
        line += word
    yield line.rstrip()


def _words(text: str) -> Iterator[str]:
    """Pieces of a text between which a line may end."""
    word = ""
    for character in text:
        if width(character) == 2 and not unicodedata.category(character).startswith("P"):
            if word:
                yield word
            word = character
        else:
            word += character
            if character == " ":
                yield word
                word = ""
    if word:
        yield word
