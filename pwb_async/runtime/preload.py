"""Imports that must happen before a process gives up the right to read the files of Python and its packages.

Under --sandbox, or as a user that may not read them, a module that is imported on first use cannot be found any more.
"""

import importlib
from typing import Final

_STANDARD_LIBRARY: Final = ("encodings.idna", "encodings.latin_1", "linecache", "traceback", "unicodedata")
"""Modules that Python itself imports when it first needs them."""


def preload(*modules: str) -> None:
    """Import `modules`, and those that the standard library imports on first use."""
    for name in (*_STANDARD_LIBRARY, *modules):
        importlib.import_module(name)
