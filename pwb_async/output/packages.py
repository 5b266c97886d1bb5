"""One line instead of a traceback where a package that PWB needs is not installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

INSTALL = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/python -m "
"""What to type in a checkout, in front of the name of the module."""


@contextmanager
def needed_packages(program: str, module: str) -> Iterator[None]:
    """Around the imports of a program: ends it with status 1 if one of them needs a package that is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", "pwb_async", "pwb_legacy"):
            raise
        sys.stderr.write(f"{program}: {error.name} is not installed; in a checkout of PWB: {INSTALL}{module}\n")
        raise SystemExit(1) from None
