"""Each attack shows of each program what it should: the exhibits have the book's defects, and PWB has none."""

from collections.abc import Iterator

import pytest

from pwb_async.config.language import LANGUAGES
from pwb_async.config.modes import MODES
from pwb_legacy.book.attacks.catalogue import ATTACKS
from pwb_legacy.book.attacks.outcome import Mark
from pwb_legacy.book.matrix import Cell, cells
from pwb_legacy.book.programs import DESIGNS, EXHIBITS, PROGRAMS, Program
from pwb_legacy.book.site import temporary_site
from pwb_legacy.book.words.catalogue import load

EXPECTED = """
          1 2 3 4 5 6 7
    L1    . x x x x x x
    L2    x x x x x x x
    L3    x x x x x x x
    L4    . x x x x x x
    L5    . x x x x x x
    L6    . x x x x x x
    L7    x x x x x x x
    L8    x x x x x x x
    L9    x x x x x x x
    L10   x x x x x x x
    L11   . . . x . . .
    L12   . . . . x . .
    L13   . . . . . x x
    L14   . ? . . . x x
    L15   ? ? . . . x x
    L16   . . . . . . x
    L17   . . . . . . x
    L18   . . . . . . x
    L19   x x x x x x x
    L20   x x x x x x x
"""
"""x: the exhibit has the defect; ?: another defect is in the way. The content of exhibit 1 is too short to be cut off."""
SIGNS = {Mark.DEFECT: "x", Mark.HELD: ".", Mark.OTHER: "?"}


def expected(program: Program) -> dict[str, str]:
    if not program.is_exhibit:
        return dict.fromkeys(ATTACKS, ".")
    rows = [line.split() for line in EXPECTED.splitlines()[2:]]
    return {code: marks[int(program.name) - 1] for code, *marks in rows}


def attacked(program: Program) -> Iterator[Cell]:
    with temporary_site() as folder:
        yield from cells([program], list(ATTACKS), folder)


def check(program: Program) -> None:
    """Each cell is as expected, and has a sentence in each language."""
    found = {cell.code: cell.outcome for cell in attacked(program)}
    wanted = expected(program)
    wrong = {code: outcome for code, outcome in found.items() if SIGNS[outcome.mark] != wanted[code]}
    assert wrong == {}
    assert found.keys() == wanted.keys()
    for language in LANGUAGES:
        words = load(language)
        assert all(words.result(outcome) for outcome in found.values())


@pytest.mark.parametrize("program", EXHIBITS, ids=lambda program: program.name)
def test_an_exhibit_has_the_defects_of_the_book(program: Program) -> None:
    check(program)


@pytest.mark.parametrize("program", DESIGNS, ids=lambda program: program.name)
def test_a_design_of_pwb_has_none_of_them(program: Program) -> None:
    check(program)


def test_every_program_of_the_book_and_every_design_is_there() -> None:
    assert [program.name for program in EXHIBITS] == [str(number) for number in range(1, 8)]
    assert [program.name for program in DESIGNS] == [*MODES, "async"]
    assert len({program.name for program in PROGRAMS}) == len(PROGRAMS)


def test_an_attack_that_cannot_reach_its_program_is_a_cell_as_well() -> None:
    """Exhibit 2 ends at the first of the two."""
    from pwb_legacy.book.matrix import _outcome
    from pwb_legacy.book.running import running

    with temporary_site() as folder, running(EXHIBITS[1], folder, "L3") as server:
        assert _outcome("L3", server).mark is Mark.DEFECT
        assert _outcome("L2", server).result == "no-contact"
