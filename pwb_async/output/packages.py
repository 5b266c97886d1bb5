"""One line instead of a traceback where a package that PWB needs is not installed, or the system is not Linux."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

INSTALL = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/python -m "
"""What to type in a checkout, in front of the name of the module."""


@contextmanager
def needed_packages(program: str, module: str) -> Iterator[None]:
    """Around the imports of a program: ends it with status 1 if one of them needs what is not installed."""
    try:
        yield
    except ImportError as error:
        name = (error.name or "").partition(".")[0]
        if name in ("", "pwb_async", "pwb_legacy"):
            raise
        if name in sys.stdlib_module_names:  # such as resource on Windows, and epoll of select on macOS
            why = f"this system lacks what PWB needs ({error}); it runs on Linux, and on Windows in WSL 2"
        else:
            why = f"{name} is not installed; in a checkout of PWB: {INSTALL}{module}"
        sys.stderr.write(f"{program}: {why}\n")
        raise SystemExit(1) from None
