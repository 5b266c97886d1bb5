"""The places of a site: which directory is served at which path (ROOT, --prefix, --mount)."""

import os
from collections.abc import Callable, Iterable, Mapping
from os import fsencode
from typing import Final, NamedTuple

from .options import ConfigError, Options

STORES: Final = ("s3://", "s3a://", "az://", "azure://", "gs://")
"""How roots in object stores begin."""


class Place(NamedTuple):
    """A directory and where a site has it."""

    path: bytes
    """The path of the site, decoded, without a slash at either end; b"" for its root."""
    directory: str

    def contains(self, path: bytes) -> bool:
        """Whether a path of the site is this one or beneath it."""
        return not self.path or path == self.path or path.startswith(self.path + b"/")

    def home_depth(self, places: "Iterable[Place]") -> int:
        """How many names the path of the outermost of these places has that contains this one."""
        return min(len(each.path.split(b"/")) if each.path else 0 for each in places if each.contains(self.path))

    def mounted(self, places: "Iterable[Place]") -> list[bytes]:
        """The paths beneath this directory at which the site has others of these places."""
        above = self.path and self.path + b"/"
        beneath = (each.path for each in places if each.path != self.path and self.contains(each.path))
        return [path.removeprefix(above) for path in beneath]


def places_of(options: Options) -> list[Place]:
    """The places of a site, a longer path behind a shorter one."""
    places = [Place(root_path(options), options.root)]
    places += [Place(_path(mount.path), mount.directory) for mount in options.mount]
    return sorted(places, key=lambda place: len(place.path))


def root_path(options: Options) -> bytes:
    """The path at which a site has its root, as in Place."""
    return _path(options.prefix)


def is_store(root: str) -> bool:
    """Whether a root is in an object store."""
    return root.startswith(STORES)


def has_stores(options: Options) -> bool:
    """Whether any of the roots is in an object store."""
    return any(is_store(root) for root in all_directories(options))


def all_directories(options: Options) -> list[str]:
    """Every root of any of the sites, each once."""
    return list(dict.fromkeys(place.directory for each in options.of_all_sites for place in places_of(each)))


def hidden_paths(directory: str, config_file: str) -> list[bytes]:
    """The paths beneath a directory at which the configuration file is, by its own name and by that of a link to it."""
    if not config_file:
        return []
    folder, name = os.path.split(config_file)
    beneath = os.path.join(os.path.realpath(directory), "")
    files = {os.path.join(os.path.realpath(folder), name), os.path.realpath(config_file)}
    return [fsencode(path.removeprefix(beneath)) for path in sorted(files) if path.startswith(beneath)]


def check_places(options: Options, written: Mapping[str, str], warn: Callable[[str], object]) -> None:
    """Check that no two directories have the same place, and that each place can be asked for.

    written: where each option stands that is set. warn: called with a line about what is probably not meant. Raises
    ConfigError.
    """
    prefix = options.prefix
    for name, path in [("prefix", prefix), *(("mount", mount.path) for mount in options.mount)]:
        if not options.dotfiles and _is_hidden(path):
            raise ConfigError(
                f"{written[name]}: {path}: names that begin with a dot are not served without --dotfiles."
            )
    taken = {prefix: options.root}
    for mount in options.mount:
        if mount.path in taken:
            raise ConfigError(f"{written['mount']}: {mount}: {taken[mount.path]!r} is there already.")
        if not (mount.path.startswith(prefix) or prefix.startswith(mount.path)):
            warn(f"{written['mount']}: {mount}: it is outside of the prefix {prefix}")
        taken[mount.path] = mount.directory


def _is_hidden(path: str) -> bool:
    names = path.strip("/").split("/")
    return any(name.startswith(".") for name in (names[1:] if names[0] == ".well-known" else names))


def _path(text: str) -> bytes:
    return fsencode(text.strip("/"))
