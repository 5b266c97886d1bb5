"""The designs under other interpreters: which packages they have, and whether their lock is on.

A free-threaded interpreter turns its lock on again when it loads an extension module that needs it. So each design is
asked for itself: its modules are imported by the interpreter, as a server would import them.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pwb_async.config.modes import MODES

from .servers import QUIET, CannotError, Contestant, Launch, plain_environment

OLDEST: Final = (3, 11)
PATIENCE: Final = 30.0
"""Seconds that an interpreter has to import a design."""
_PACKAGES: Final = ("pwb_async", "pwb_legacy")
_FOLDER: Final = Path(__file__).parents[3]
_PROGRAM: Final = """
import importlib, json, platform, sys, sysconfig
release = sys.version_info[:2]
free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
version = platform.python_implementation() + " " + platform.python_version()
missing, modules = [], sys.argv[1:] if release >= (3, 11) else []
for name in modules:
    if missing and name.startswith("pwb_"):
        break  # it would end the program
    try:
        importlib.import_module(name)
    except ImportError as error:
        missing.append((error.name or str(error)).partition(".")[0])
print(json.dumps({
    "release": release,
    "short": "%d.%d%s" % (*release, "t" if free else ""),
    "version": version + " free-threaded" if free else version,
    "missing": missing,
    "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
}))
"""
"""Written such that an old interpreter runs it, too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The interpreter has imported a design, or a package for it is missing."""

    short: str
    """Its release: 3.14, or 3.14t for a free-threaded one."""
    version: str
    """In full, with the implementation."""
    missing: list[str]
    """The names of packages that it lacks."""
    gil: bool
    """Whether its lock is on, with all modules of the design loaded."""


def under(contestants: Sequence[Contestant], pythons: Sequence[str]) -> list[Contestant]:
    """The same designs under each of these interpreters, with names that say so: thread@3.14t. Raises CannotError where
    an interpreter does not run, is too old, or lacks a package."""
    found: list[Contestant] = []
    for python in pythons:
        path = shutil.which(os.path.expanduser(python))
        if path is None:
            raise CannotError(f"--python {python}: there is no such program")
        path = os.path.abspath(path)  # not realpath: a virtual environment is found by the link's own place
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda one, path=path: ask(path, one), contestants))
        if missing := sorted({name for answer in answers for name in answer.missing}):
            hint = f"{path} -m pip install {' '.join(missing)}"
            raise CannotError(f"--python {python}: it lacks {', '.join(missing)}: {hint}")
        for one, answer in zip(contestants, answers, strict=True):
            name = _unused(f"{one.name}@{answer.short}", {each.name for each in found})
            found.append(
                replace(one, name=name, launch=_by_python, python=path, version=answer.version, gil=answer.gil)
            )
    return found


def ask(path: str, contestant: Contestant) -> Answer:
    """What an interpreter says of a design. Raises CannotError where it does not run, or is too old."""
    with _packages() as environment:
        words = [path, "-c", _PROGRAM, *_modules(contestant)]
        try:
            done = subprocess.run(  # noqa: S603  the user's own interpreter
                words, cwd="/", env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            told = json.loads(done.stdout.splitlines()[-1])
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotError(f"--python {path}: {error}") from None
        except (IndexError, ValueError):
            lines = done.stderr.strip().splitlines()
            raise CannotError(f"--python {path}: it is no Python: {lines[-1] if lines else 'no output'}") from None
    if tuple(told.pop("release")) < OLDEST:
        raise CannotError(f"--python {path}: it is {told['version']}, and PWB needs {'.'.join(map(str, OLDEST))}")
    return Answer(**told)


def _modules(contestant: Contestant) -> list[str]:
    """What a server of this design imports: packages first, so that each that is missing is found."""
    package, *options = contestant.words
    if package == "pwb_legacy":
        mode = MODES[options[-1]]
        library = [mode.requires.rpartition(".")[0]] if mode.requires else []
        own = f"pwb_legacy.{mode.module}"
        return ["click", "xxhash", *library, "pwb_legacy.__main__", "pwb_async.runtime.context", own]
    loop = ["uvloop"] if "asyncio" not in options else []
    return ["click", "xxhash", "aiofiles", *loop, "pwb_async.__main__", "pwb_async.server.server"]


@contextmanager
def _packages() -> Iterator[dict[str, str]]:
    """An environment in which PWB is found, but no package that this interpreter has beside it."""
    with tempfile.TemporaryDirectory(prefix="pwb-python-") as folder:
        for name in _PACKAGES:
            (Path(folder) / name).symlink_to(_FOLDER / name)
        environment = plain_environment() | {"PYTHONPATH": folder}
        environment.pop("PYTHONHOME", None)
        environment.pop("VIRTUAL_ENV", None)
        yield environment


@contextmanager
def _by_python(contestant: Contestant, root: Path, options: Sequence[str]) -> Iterator[Launch]:
    with _packages() as environment:
        words = [contestant.python, "-m", *contestant.words, os.fspath(root), *QUIET, *options]
        yield Launch(words, environment)


def _unused(name: str, used: set[str]) -> str:
    """The name, with a number where it is taken."""
    numbered = (name if n == 1 else f"{name}-{n}" for n in range(1, len(used) + 2))
    return next(each for each in numbered if each not in used)
