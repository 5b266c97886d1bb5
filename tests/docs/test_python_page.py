"""The examples of docs/python.md work, in a folder with a site."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.server import REPOSITORY, environment

PAGE = REPOSITORY / "docs" / "python.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
BLOCKING = [example for example in EXAMPLES if "pwb_async.serve(" in example]
TESTS = [example for example in EXAMPLES if "def test_" in example]
PROGRAMS = [example for example in EXAMPLES if example not in (*BLOCKING, *TESTS)]
TIMEOUT = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<h1>Hello</h1>")
    return tmp_path


def env() -> dict[str, str]:
    return {**environment(), "PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def test_the_page_has_examples_of_each_kind() -> None:
    assert len(BLOCKING) == 1
    assert len(TESTS) == 2
    assert len(PROGRAMS) >= 6


@pytest.mark.parametrize("example", PROGRAMS)
def test_a_program_runs_without_a_warning(example: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        capture_output=True, text=True, cwd=folder, env=env(), timeout=TIMEOUT, check=False,
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout


def test_a_program_that_serves_alone(folder: Path) -> None:
    program = BLOCKING[0].replace("port=8000", "port=0")
    process = subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-1, text=True, cwd=folder, env=env())
    assert process.stdout is not None
    assert process.stdout.readline().startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT)
    assert (out, err.splitlines()[-1]) == ("", "KeyboardInterrupt")


@pytest.mark.parametrize("example", TESTS)
def test_tests_pass(example: str, folder: Path) -> None:
    (folder / "test_example.py").write_text(example)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pwb_async.embedding.pytest_plugin"]
    done = subprocess.run(
        words, capture_output=True, text=True, cwd=folder, env=env(), timeout=TIMEOUT * 3, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_values_of_options_on_the_page_are_accepted() -> None:
    import pwb_async

    text = PAGE.read_text().partition("## Options")[2].partition("The defaults")[0]
    words = re.findall(r"`(\w+=[^`]+)`", text)
    assert len(words) >= 5
    for word in words:
        eval(f"Server('site', {word})", {"Server": pwb_async.Server, "Path": Path}) if "config" not in word else None
