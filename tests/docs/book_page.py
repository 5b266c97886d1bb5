"""Writes docs/book.md and docs/book.zh-CN.md from a run of `pwb-legacy book`: python -m tests.docs.book_page

The sentences about each program are in book_words.py, those about each defect in pwb_legacy/book/words.
"""

import textwrap
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pwb_async.config.language import LANGUAGES
from pwb_legacy.book.matrix import Cell, cells
from pwb_legacy.book.places import cause, cures
from pwb_legacy.book.programs import EXHIBITS, Program
from pwb_legacy.book.site import temporary_site
from pwb_legacy.book.words.catalogue import Words, load
from tests.book.test_matrix import EXPECTED

from .book_words import BOOK, Chapter

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = {"en": DOCS / "book.md", "zh": DOCS / "book.zh-CN.md"}
SHOWN: Final = {
    "1": ("L2", "L3", "L7", "L8", "L9", "L10", "L19", "L20"),
    "2": ("L1", "L4", "L5", "L6"),
    "3": ("L3", "L9"),
    "4": ("L11",),
    "5": ("L12",),
    "6": ("L13", "L14", "L15"),
    "7": ("L14", "L16", "L17", "L18"),
}
"""The cells that the pages show: each defect where it comes up, and again where it looks different."""
WIDTH: Final = 120


def run() -> list[Cell]:
    """The cells of SHOWN."""
    with temporary_site() as folder, ThreadPoolExecutor(len(EXHIBITS)) as pool:
        columns = pool.map(lambda program: list(cells([program], SHOWN[program.name], folder)), EXHIBITS)
        return [cell for column in columns for cell in sorted(column, key=lambda cell: int(cell.code[1:]))]


def page(found: Sequence[Cell], language: str) -> str:
    """A whole page."""
    words, chapter = load(language), BOOK[language]
    return (
        "\n\n".join(
            [
                f"# {chapter.title}",
                "<!-- Made by python -m tests.docs.book_page, from a run. -->",
                *(filled(paragraph, language) for paragraph in chapter.introduction),
                f"## {chapter.matrix_title}",
                filled(chapter.matrix, language),
                matrix(words),
                *(block for program in EXHIBITS for block in section(program, found, words, chapter)),
            ]
        )
        + "\n"
    )


def section(program: Program, found: Sequence[Cell], words: Words, chapter: Chapter) -> Iterator[str]:
    """One of the seven programs."""
    language = "en" if words.language == "en" else "zh"
    told = chapter.programs[program.name]
    yield f"## {told.section} {told.title} ({told.file})"
    yield from (filled(paragraph, language) for paragraph in told.paragraphs)
    before = {code for number, codes in SHOWN.items() if number < program.name for code in codes}
    for cell in found:
        if cell.program is program:
            yield from entry(cell, words, chapter, again=cell.code in before)


def entry(cell: Cell, words: Words, chapter: Chapter, *, again: bool) -> Iterator[str]:
    """One defect of one program: what is wrong, the command, what happens, cause and cure."""
    language = "en" if words.language == "en" else "zh"
    defect = words.defects[cell.code]
    colon = words.text["colon"]
    yield f"### {cell.code}{chapter.again if again else ''}. {defect.title}"
    if not again:
        yield filled(defect.harm, language)
    yield f"    .venv/bin/pwb-legacy book {cell.program.name} {cell.code}{chapter.option}"
    place = cause(cell.program.name, cell.code)
    assert place is not None
    code = chapter.and_.join(map(chapter.place.format, cures(cell.code)))
    items = (
        (words.text["attack"], defect.attack + chapter.stop),
        (words.text["result"], words.result(cell.outcome)),
        (words.text["cause"], chapter.place.format(place)),
        (words.text["cure"], f"{defect.cure}{chapter.gap}{code}"),
    )
    yield "\n".join(filled(f"- **{name}**{colon}{told}", language, "  ") for name, told in items)


def matrix(words: Words) -> str:
    """The table of all defects of the book's programs."""
    rows = [line.split() for line in EXPECTED.splitlines()[2:]]
    names = " | ".join(program.name for program in EXHIBITS)
    head = f"| {words.text['defect']} | {names} |\n| --- |{' --- |' * len(EXHIBITS)}"
    lines = (f"| {code} {words.defects[code].title} | {' | '.join(marks)} |" for code, *marks in rows)
    return "\n".join([head, *(line.replace("| . ", "|   ") for line in lines)])


def filled(text: str, language: str, indent: str = "") -> str:
    """English in lines of a width; Chinese in one line, since a line end would become a gap. A command stays as it is."""
    if language == "zh" or text.startswith("    "):
        return text
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    shown = run()
    for name in LANGUAGES:
        PAGES[name].write_text(page(shown, name), encoding="utf-8")
