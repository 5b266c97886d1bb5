"""pwb-legacy: wrong use is one line that names the right command; nothing is started."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pwb_async.config.command_line import PROGRAMS
from pwb_async.config.modes import MODES
from pwb_legacy.__main__ import COMMANDS
from pwb_legacy.book.commands import book
from pwb_legacy.check.commands import check
from pwb_legacy.compare.commands import laboratory
from pwb_legacy.modes import count_lines
from tests.conformance.server import environment

WRONG = [
    (("comapre",), "pwb-legacy: comapre: no such command (did you mean 'compare'?)"),
    (("comapre", "--quick"), "pwb-legacy: comapre: no such command (did you mean 'compare'?)"),
    (("traces", "--out", "x"), "pwb-legacy: traces: no such command (did you mean 'trace'?)"),
    (("--modes", "thread"), "pwb-legacy: --modes: no such option (did you mean '--mode'?)"),
    (("--mode", "epoll-threads"), "pwb-legacy: --mode: 'epoll-threads' is not one of 'fixed', "),
    (("--mode", "async"), "pwb-legacy: --mode: 'async' is not one of 'fixed', "),
    (("--port", "8889"), "pwb-legacy: --mode is missing: one of fixed, single, "),
    (("report",), "pwb-legacy: COMPARE.JSON is missing: the file that `pwb-legacy compare` has written"),
    (("report", "--lang", "zh"), "pwb-legacy: COMPARE.JSON is missing: "),
    (("book", "6", "l99"), "pwb-legacy: DEFECT: 'l99' is not one of L1 to L20"),
    (("book", "9"), "pwb-legacy: PROGRAM: '9' is not one of '1', "),
    (("compare", "--mode", "thread"), "pwb-legacy: --mode: no such option (did you mean '--modes'?)"),
    (("diff", "--mode", "thread"), "pwb-legacy: --mode: no such option (did you mean '--modes'?)"),
    (("trace", "--mode", "thread"), "pwb-legacy: --mode: no such option (did you mean '--modes'?)"),
    (("compare", "--modes", "asyncio"), "pwb-legacy: --modes: no mode asyncio; there are single, "),
    (("compare", "README.md"), "pwb-legacy: ROOT: README.md: is a file, not a folder"),
    (("diff", "none"), "pwb-legacy: ROOT: none: No such file or directory"),
    (("compare", "--duration", "3x"), "pwb-legacy: --duration: '3x' is not a time such as 10 or "),
]


def run(module: str, folder: Path, *words: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of `python -m module`."""
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, cwd=folder, env=environment(), check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(("words", "line"), WRONG, ids=lambda value: " ".join(value) if value[0] != "p" else "")
def test_wrong_use_is_one_line(words: tuple[str, ...], line: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("x")
    status, output, errors = run("pwb_legacy", tmp_path, *words)
    assert (status, output) == (2, "")
    assert errors.startswith(line)
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("mode", "hint"),
    [
        ("epoll-threads", "did you mean 'epoll-thread'?"),
        ("async", "the asyncio server is the command pwb"),
        ("async-uncached", "the asyncio server is the command pwb"),
        ("proces", "did you mean 'process'?"),
    ],
)
def test_a_mode_that_there_is_not_has_a_hint(mode: str, hint: str, tmp_path: Path) -> None:
    status, output, errors = run("pwb_legacy", tmp_path, "--mode", mode)
    assert (status, output) == (2, "")
    assert errors.endswith(f"({hint}).\n")


def test_help_lists_every_command() -> None:
    assert [name for name, _ in PROGRAMS["pwb-legacy"].commands] == list(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_examples_that_it_accepts(command: str, tmp_path: Path) -> None:
    status, output, errors = run("pwb_legacy", tmp_path, command, "--help")
    assert (status, errors) == (0, "")
    examples = [
        shlex.split(line)[1:] for line in re.findall(rf"^  (pwb-legacy {command}.*?)(?:  |$)", output, re.MULTILINE)
    ]
    assert examples
    for file in ("requests.txt", "access.log", "compare.json"):
        (tmp_path / file).touch()
    (tmp_path / "site").mkdir()
    for name, *words in examples:
        files = (".txt", ".log", ".json", "/site")
        given = [str(tmp_path / Path(word).name) if word.endswith(files) else word for word in words]
        chosen = {"book": book, "check": check}.get(name) or laboratory.commands[name]
        chosen.make_context(name, given)


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("/proc/1", "No such file or directory"),
        ("README.md", "is a file, not a folder"),
        ("README.md/out", "Not a directory"),
    ],
)
@pytest.mark.parametrize("command", ["trace", "compare", "report compare.json"])
def test_a_folder_that_cannot_be_written_is_found_at_once(
    command: str, folder: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("x")
    assert run("pwb_legacy", tmp_path, *command.split(), "--out", folder) == (
        1,
        "",
        f"pwb-legacy: {folder}: {reason}\n",
    )


def test_alone_it_lists_the_modes_with_the_lines_of_each_and_the_commands(tmp_path: Path) -> None:
    """What a design shares is counted, too: of all that is imported, `process` alone needs child_process.py."""
    status, output, errors = run("pwb_legacy", tmp_path)
    assert (status, errors) == (0, "")
    listed = [line.split()[0] for line in output.splitlines() if line.startswith("  ")]
    assert listed == [*MODES, *COMMANDS]
    for mode in MODES:
        own, shared = count_lines(mode)
        assert output.count(f"[{own} lines, and {shared} that it shares]") == 1
    folder = Path(__file__).parents[2] / "pwb_legacy"
    extra = len((folder / "common/child_process.py").read_text().splitlines())
    assert count_lines("thread")[0] == len((folder / "threads.py").read_text().splitlines())
    assert count_lines("process")[1] == count_lines("thread")[1] + extra


def test_a_mode_is_an_option_of_pwb_legacy(tmp_path: Path) -> None:
    line = "pwb: --mode: no such option (it is an option of pwb-legacy)\n"
    assert run("pwb_async", tmp_path, "--mode", "thread") == (2, "", line)


def test_a_file_that_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# PWB\n\nA static web server.\n")
    status, output, errors = run("pwb_legacy", tmp_path, "diff", "--corpus", "README.md")
    assert (status, output) == (1, "")
    assert errors == (
        "pwb-legacy: README.md: is no corpus: no request in it begins with a line such as GET / HTTP/1.1\n"
    )


def test_a_directory_with_a_name_like_a_command_is_served(tmp_path: Path) -> None:
    """Here it is not, since there is no mode."""
    (tmp_path / "traces").mkdir()
    status, _, errors = run("pwb_legacy", tmp_path, "traces")
    assert status == 2
    assert errors.startswith("pwb-legacy: --mode is missing")
