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

    def build(self, root: Path) -> Path:
        """Writes the files beneath `root`, which is returned."""
        for name, content in self.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
            os.utime(root / name, (MODIFIED, MODIFIED))
        return root
