"""The command `pwb-legacy book`: what it prints, what it writes, and how it refuses."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pwb_async.config.language import LANGUAGES
from pwb_legacy.book import commands, table
from pwb_legacy.book.attacks.catalogue import ATTACKS
from pwb_legacy.book.attacks.outcome import held
from pwb_legacy.book.matrix import Cell
from pwb_legacy.book.programs import PROGRAMS
from pwb_legacy.book.words.catalogue import load

from .sample import sample

ROOT = Path(__file__).parents[2]


def book(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pwb_legacy", "book", *words]
    environment = os.environ | {"PYTHONUTF8": "1"} | more
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env=environment, check=False)


def test_one_cell_has_result_cause_and_cure() -> None:
    done = book("2", "L1")
    assert done.returncode == 0
    assert "on purpose, on 127.0.0.1 alone, until this command ends" in done.stderr
    assert "The canary, a file outside of the served folder, came back: HTTP/1.1 200 OK." in done.stdout
    assert "pwb_legacy/book/exhibits/pwb2.py:" in done.stdout
    assert "path = STATIC +" in done.stdout
    assert "pwb_async/storage/open_beneath.py:" in done.stdout


def test_a_program_has_a_line_and_a_result_for_each_defect() -> None:
    done = book("1", "l2", "L7", "--lang", "zh")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line[:5] for line in lines[:-1] if line[:1] == "x"] == ["x L2 ", "x L7 "]
    assert "有此缺陷" in lines[-1]


def test_a_design_of_pwb_can_be_attacked_alone() -> None:
    done = book("async", "L1")
    assert done.returncode == 0
    assert ". not affected" in done.stdout
    assert "Cause" not in done.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["8"], "'8' is not one of"),
        (["2", "L0"], "'L0' is not one of"),
        (["2", "--out", "."], "leave the program out"),
        (["--out", "README.md"], "README.md: is a file, not a folder"),
        (["--lang", "fr"], "'fr' is not one of 'en', 'zh'"),
    ],
)
def test_wrong_use_is_one_line(words: list[str], why: str) -> None:
    done = book(*words)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("pwb-legacy: ")
    assert why in line
    assert done.stdout == ""


def test_a_design_that_does_not_hold_is_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[Cell]:
        return [cell._replace(outcome=sample()[20].outcome) for cell in sample() if cell.program.name == "thread"]

    monkeypatch.setattr(commands, "_run", broken)
    monkeypatch.setattr(sys, "argv", ["pwb-legacy", "book", "thread"])
    with pytest.raises(SystemExit) as end:
        commands.main()
    assert end.value.code == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_written_beside_the_matrix(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Into a folder that is made, if it is not there."""
    folder = tmp_path / "new" / "folder"
    monkeypatch.setattr(commands, "_run", lambda *_: sample())
    monkeypatch.setattr(sys, "argv", ["pwb-legacy", "book", "--out", str(folder), "--lang", language])
    commands.main()
    page = (folder / "book.html").read_text(encoding="utf-8")
    assert f"book --out {folder} --lang {language}" in page
    assert f'<html lang="{load(language).language}">' in page
    assert str(folder / "book.html") in capsys.readouterr().out


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_matrix_fits_80_columns(language: str) -> None:
    words = load(language)
    lines = list(table.matrix(sample(), words))
    assert max(table.width(line) for line in plain(lines)) <= 80
    rows = [line for line in plain(lines) if line.startswith("L")]
    assert [row.split()[0] for row in rows] == list(ATTACKS)
    assert len({table.width(row) for row in rows}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_details_and_columns_fit_80_columns(language: str) -> None:
    words = load(language)
    for cell in sample():
        for lines in (table.details(cell, words), table.column([cell], words)):
            too_long = [line for line in plain(list(lines)) if table.width(line) > 80 and " " in line.strip()]
            assert too_long == []


def test_a_result_that_holds_has_no_cause() -> None:
    cell = Cell(PROGRAMS[1], "L1", held("no-canary", line="HTTP/1.1 404 Not Found"))
    assert "Cause" not in "\n".join(table.details(cell, load("en")))


def plain(lines: list[str]) -> list[str]:
    """Without colours."""
    return [click.unstyle(line) for line in lines]
