"""The outputs on docs/explain.md: the site of its examples, and what `pwb explain` prints there.

python -m tests.docs.explain_page    writes them into the page again
"""

import base64
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.conformance.rows.access import USERS
from tests.conformance.server import environment

from .examples import ROOT

PAGE: Final = ROOT / "docs/explain.md"
_EXAMPLE: Final = re.compile(r"(?m)^    \.venv/bin/(pwb explain .*)\n\n```text\n((?:.*\n)*?)```$")
_DATE: Final = re.compile(r"(?m)^Date: .{29}")
_SCRIPT: Final = b"".join(b"export const number%d = %d;\n" % (n, n) for n in range(60))
_CODED: Final = base64.b64decode(
    """
H4sIAAAAAAACA3XUO04DQRQF0ZxVzBL8fsYWYjMgh3wERmL5dE1KTVxRH72+t9/Pj6/79vrx/n3f3n/eXm5fp+15Oz093P6XWCW05CqppVYpLb
1Ka5lVRst5lbOWx1UetVxWuWi5rnL1l4IQBwo7gzsEEOESAUW4RYARrhFwhHsEIOEiAUm4SYASrhKwhLskLukuiUse3Md+IO6SuKS7JC7pLolL
ukviku6SuKS7JC7pLolLukvhUu5SuJS7FC518HP2r+MuhUu5S+FS7lK4lLsULuUuhUu5S+FS7tK4tLs0Lu0ujUu7S+PSB5uyj4q7NC7tLo1Lu0
vj0u7SuLS7NC7tLoPLuMvgMu4yuIy7DC7jLoPLHKztPrfuMriMuwwu4y6Dy7jL4DLL5Q9aTuntfAYAAA==
"""
)
"""_SCRIPT with gzip; of another version of zlib it would have other bytes."""
_TIME: Final = 1_780_000_000
_FILES: Final = {
    "site/index.html": b"<!DOCTYPE html>\n<title>Home</title>\n",
    "site/about.html": b"<!DOCTYPE html>\n<title>About</title>\n",
    "site/assets/app-BhRYpqRf.js": _SCRIPT,
    "site/assets/app-BhRYpqRf.js.gz": _CODED,
    "site/_redirects": b"/blog/* /posts/:splat 301\n",
    "site/_headers": b"/*\n  Referrer-Policy: no-referrer\n\n/assets/*\n  ! Referrer-Policy\n",
    "site/drafts/next.html": b"<!DOCTYPE html>\n<title>Next</title>\n",
    "users.htpasswd": USERS.encode(),
    "pwb.toml": b'[[access]]\nfor = "/drafts/*"\nhtpasswd = "users.htpasswd"\nallow = ["127.0.0.0/8"]\n',
}


def build(folder: Path) -> None:
    """Writes the site of the examples."""
    for name, content in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (_TIME, _TIME))
    stale = folder / "site/assets/app-BhRYpqRf.js.br"
    stale.write_bytes(b"of the last release")
    os.utime(stale, (_TIME - 86400, _TIME - 86400))


def examples(text: str) -> Iterator[tuple[str, str]]:
    """Yields each command of a page with the output below it."""
    yield from _EXAMPLE.findall(text)


def output_of(command: str, folder: Path) -> str:
    """What a command prints in a folder, with a fixed date."""
    words = [word.replace("~/", "") if word.startswith("~/") else word for word in shlex.split(command)]
    done = subprocess.run(
        [sys.executable, "-m", "pwb_async", *words[1:]],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment() | {"COLUMNS": "110"},
        timeout=60,
        check=True,
    )
    return _DATE.sub("Date: Mon, 30 Nov 2026 18:00:00 GMT", done.stdout)


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        text = PAGE.read_text()
        for command, output in examples(text):
            text = text.replace(
                f"{command}\n\n```text\n{output}", f"{command}\n\n```text\n{output_of(command, folder)}"
            )
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
