"""The short suite, without the checkout, on every CPython that this machine has: python .ci/pythons.py

1. the source archive is made of what is committed, and the wheel of the archive
2. interpreters are looked for: pythonX.Y and pythonX.Yt (free-threaded) on the PATH, and those of pyenv
3. of those that run and that pyproject.toml allows, one of each version is taken; that of this interpreter, which has
   run the tests in the checkout, only if there is no other
4. each gets a virtual environment of its own with the wheel, and runs the short suite of the archive in it; the archive
   has lost its packages before, so that those of the wheel are tested
5. what is not there, or cannot be used, is named at the end; the status is 1 if a suite has failed
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = (
    "access",
    "compress",
    "config",
    "listing",
    "network",
    "observability",
    "output",
    "runtime",
    "server",
    "storage",
)
UNITS = [f"tests/{part}" for part in PARTS]
DESIGNS = [f"tests/conformance/test_{name}.py" for name in ("rows", "start", "stop", "ignored")]
TLS = [f"tests/tls/test_{name}.py" for name in ("certified_key", "contexts", "generated", "transport")]
SUITE = [
    "tests/core",
    *(unit for unit in UNITS if (ROOT / unit).is_dir()),
    "tests/process/test_unix_and_systemd.py",
    *DESIGNS,
    *TLS,
    "tests/asgi/test_static_site.py",
    "tests/wsgi",
]
FEWER = "not (epoll or single)"
"""Of the raw-socket designs thread, process and gevent are enough: the others use nothing that differs."""
FAILED = "FAILED"
RELEASED = ("3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t")
"""The versions whose absence is named; a t: free-threaded."""
PATIENCE = 400
"""Seconds for one run of the suite: one process took 130 on two cores that did other things, too."""
TELL = """
import platform, sys, sysconfig
free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print(platform.python_implementation(), "{}.{}".format(*sys.version_info) + free)
"""


def candidates() -> Iterator[Path]:
    for folder in os.get_exec_path():
        if os.path.isdir(folder):
            yield from (each for each in sorted(Path(folder).iterdir()) if re.fullmatch(r"python3\.\d+t?", each.name))
    if shutil.which("pyenv"):
        root, names = (said("pyenv", "root"), said("pyenv", "versions", "--bare"))
        yield from (Path(root) / "versions" / name / "bin" / "python" for name in reversed(names.split()))


def said(*command: str | Path) -> str:
    """What a command prints, "" if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def version(path: str | Path) -> str:
    """Of a CPython that runs, such as 3.13, or 3.13t if it is free-threaded; "" for anything else."""
    kind, _, found = said(path, "-c", TELL).partition(" ")
    return found if kind == "CPython" else ""


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def interpreters() -> dict[str, Path]:
    """By version; one that is too old is none."""
    least = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    found: dict[str, Path] = {}
    for path in candidates():
        if (name := version(path)) and numbers(name) >= numbers(least):
            found.setdefault(name, path)
    others = {name: path for name, path in found.items() if name != version(sys.executable)}
    return others or found


def failing(*command: str | Path) -> str:
    """The last line of what a command says if it fails, else ""."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return "it takes too long"
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1] if done.returncode else ""


def ship(folder: Path) -> tuple[Path, Path]:
    """Makes the archive and the wheel. Returns the wheel, and a folder with what the archive holds but its packages."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "-q", ROOT, clone], check=True)
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, clone], check=True, stdout=subprocess.DEVNULL)
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    tree = folder / archive.name.removesuffix(".tar.gz")
    for package in ("pwb_async", "pwb_legacy"):
        shutil.rmtree(tree / package)
    return wheel, tree


def prepare(path: Path, folder: Path, wheel: Path) -> str:
    """Makes a virtual environment with PWB and its tests, without gevent where that has no wheel. Returns what went
    wrong, if anything."""
    if wrong := failing(path, "-m", "venv", folder):
        return wrong
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--only-binary=:all:")
    if not failing(*pip, f"{wheel}[test]"):
        return ""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needs = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    others = [each for each in needs if not re.match(r"gevent|pwb", each)]
    return failing(*pip, *others) or failing(*pip, "--no-deps", wheel)


def run(folder: Path, tree: Path) -> str:
    """Runs the suite of `tree` in a virtual environment.

    A test that passes when asked again alone was disturbed, not broken.
    """
    python = folder / "bin" / "python"
    command = [python, "-m", "pytest", "-q", "-n", "4", "-k", FEWER, "-o", f"cache_dir={folder / 'cache'}"]
    passed = "passed"
    if failing(python, "-c", "import gevent"):
        command += ["-k", "not gevent"]
        passed = "passed, without gevent, which has no wheel for it"
    try:
        for more in ([], ["--last-failed", "--last-failed-no-failures", "none"]):
            if subprocess.run([*command, *more, *SUITE], cwd=tree, timeout=PATIENCE, check=False).returncode == 0:
                return passed
    except subprocess.TimeoutExpired:
        pass
    return FAILED


def main() -> int:
    results: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as shipped:
        wheel, tree = ship(Path(shipped))
        for name, path in interpreters().items():
            print(f"\n-- Python {name}: {path}", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                if wrong := prepare(path, Path(folder), wheel):
                    results[name] = f"cannot be used: {wrong}"
                else:
                    results[name] = run(Path(folder), tree)
    print()
    for name in sorted({*RELEASED, *results}, key=lambda each: (numbers(each), each)):
        print(f"Python {name}: {results.get(name, 'is not on this machine, or ran the tests before')}")
    return int(FAILED in results.values())


if __name__ == "__main__":
    sys.exit(main())
