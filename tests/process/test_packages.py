"""Python without the packages that PWB needs, as in a checkout before `pip install`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.server import environment

CODE = "import sys, runpy; sys.modules[{package!r}] = None; runpy.run_module({module!r}, run_name='__main__')"


@pytest.mark.parametrize(
    ("program", "module", "package"),
    [("pwb", "pwb_async", "click"), ("pwb", "pwb_async", "xxhash"), ("pwb-legacy", "pwb_legacy", "click")],
)
def test_a_missing_package_is_one_line(program: str, module: str, package: str, tmp_path: Path) -> None:
    code = CODE.format(package=package, module=module)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=30, cwd=tmp_path, env=environment(), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{program}: {package} is not installed; in a checkout of PWB: "
        f"python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/python -m {module}\n"
    )


def test_without_any_package() -> None:
    """-S -I: only the standard library, and the checkout."""
    code = f"import sys, runpy; sys.path.insert(0, {str(Path(__file__).parents[2])!r}); runpy.run_module('pwb_async', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("pwb: click is not installed; in a checkout of PWB: python3 -m venv ")
    assert done.stderr.count("\n") == 1


def test_garbage_is_collected_again_when_all_packages_are_imported() -> None:
    code = "import gc, pwb_async.__main__; assert gc.isenabled() and gc.get_freeze_count()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=20)
