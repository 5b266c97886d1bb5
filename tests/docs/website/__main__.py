"""Builds the documentation site: python -m tests.docs.website FOLDER

FOLDER is made if it is missing, and must be empty or an earlier site; what an earlier one left is removed. Serve it by
`pwb FOLDER`.
"""

import sys
from pathlib import Path

from .building import build


def main(words: list[str]) -> None:
    """Build the site in the folder that the command line names."""
    if len(words) != 1 or words[0].startswith("-"):
        print(__doc__)
        raise SystemExit(0 if words == ["--help"] else 2)
    folder = Path(words[0]).expanduser()
    print(f"{len(build(folder))} files in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
