"""A site with rows of its own: its files, and the options that its servers are started with."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pwb_legacy.compare.checks.rows import Row

MODIFIED = 1_600_000_000
"""When all files were modified: Sun, 13 Sep 2020 12:26:40 GMT."""


class RowSite(NamedTuple):
    """A site, and the behaviours that are seen on it."""

    files: Mapping[str, bytes]
    """The content of each file by its path; one with the name "marker" has the content MARKER, for exchange()."""
    rows: Sequence[Row]
    options: tuple[str, ...] = ()
    allowed_errors: str = ""
    """A pattern for the lines that a server may write to standard error."""
    beside: Mapping[str, bytes] = {}
    """Files beside the root, such as pwb.toml and those of other roots, by their paths from the working directory."""

    def build(self, folder: Path) -> Path:
        """Writes all files beneath `folder`, the working directory, and returns the root in it."""
        for name, content in ({f"root/{name}": each for name, each in self.files.items()} | dict(self.beside)).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            os.utime(folder / name, (MODIFIED, MODIFIED))
        return folder / "root"
