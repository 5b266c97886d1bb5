"""The temporary folder that is served while a program is attacked, and the canary beside it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PAGE: Final = b"a page of the site\n"
CANARY: Final = b"the canary, which is outside of the site\n"
LARGE: Final = 8 << 20
"""bytes: more than the kernel takes for a client that does not read"""
HUGE: Final = 32 << 20
"""bytes: enough to be seen in the memory of a process"""


@contextmanager
def temporary_site() -> Iterator[str]:
    """The path of a folder that holds the canary and the folder `static`, which is served."""
    with tempfile.TemporaryDirectory(prefix="pwb-book-") as name:
        folder = Path(name).resolve()
        static = folder / "static"
        (static / "folder").mkdir(parents=True)
        (folder / "canary.txt").write_bytes(CANARY)
        for page in ("index.html", "page.html"):
            (static / page).write_bytes(PAGE)
        for file, size in (("large.bin", LARGE), ("huge.bin", HUGE)):
            (static / file).touch()
            os.truncate(static / file, size)  # sparse: it takes no room on the disk
        os.mkfifo(static / "fifo")
        yield str(folder)
