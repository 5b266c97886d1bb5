"""The directory with the files of an installed package, as importlib.resources names them."""

import os
from importlib.resources.abc import Traversable

from .options import ConfigError


def directory_of(root: "str | os.PathLike[str] | Traversable") -> str:
    """The path of a directory. Raises ConfigError if the files of a package are not in one, but in an archive.

    A package without an __init__.py may have several directories. One that has a single one is served from there.
    """
    if isinstance(root, str):
        return root
    if isinstance(root, os.PathLike):
        return os.fsdecode(root)
    if not isinstance(root, Traversable):
        raise ConfigError(f"argument root: {root!r} is not the path of a directory.")
    if not root.is_dir():
        raise ConfigError(f"argument root: {root} is not a directory.")
    entries = list(root.iterdir())
    paths = [os.fsdecode(entry) for entry in entries if isinstance(entry, os.PathLike)]
    parents = {os.path.dirname(path) for path in paths}
    if len(paths) < len(entries) or not entries:
        raise ConfigError(f"argument root: {root} is in an archive, and only a directory on the disk can be served.")
    if len(parents) > 1:
        raise ConfigError(f"argument root: {root} is not one directory, but {len(parents)}; name one in it.")
    return parents.pop()
