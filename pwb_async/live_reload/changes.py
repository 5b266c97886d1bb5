"""Which changes of files count, and what a page has to do about them.

A change counts if the file is one that the site serves. So names that begin with a dot do not, nor what PWB itself
writes, nor the configuration file, nor what editors leave beside a file or replace it by, nor what --live-reload-ignore
names. A file that was made and removed within one batch of changes was a temporary one, whatever its name.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import translate
from typing import Final, NamedTuple, TypeAlias

from pwb_async.config.options import Options
from pwb_async.config.places import places_of
from pwb_async.core.site.servable import is_servable
from pwb_async.storage.precompressed import ENDINGS

ADDED: Final = 1
MODIFIED: Final = 2
DELETED: Final = 3
"""The kinds of changes, as watchfiles numbers them."""
Change: TypeAlias = tuple[int, str]
"""The kind of a change, and the absolute path of the file or directory."""
_TEMPORARY: Final = (
    "*~", "#*#", ".#*", ".*.sw?", ".*.kate-swp", ".goutputstream-*", "*___jb_tmp___", "*___jb_old___", "4913",
    "*.swp", "*.tmp", "*.part", "*.crdownload", ".DS_Store", "Thumbs.db",
    ".git", ".hg", ".svn", "node_modules", "__pycache__",
)  # fmt: skip
"""Names of files that editors (Emacs, Vim, which also tries whether it can make 4913, Kate, GNOME's, JetBrains'),
browsers and systems leave for a while, and of directories that tools keep for themselves."""
_STYLE_SHEETS: Final = (".css",)
_IMAGES: Final = (".apng", ".avif", ".bmp", ".gif", ".ico", ".jpeg", ".jpg", ".png", ".svg", ".webp")
_NO_FILE: Final = (None, "-", "off")
"""Values of --access-log and --trace that name no file."""
_MAX_SWAPS: Final = 50
"""Files that are swapped; for more, pages are reloaded."""


class WatchedPlace(NamedTuple):
    """A directory that is served, and where."""

    directory: str
    """Its absolute path."""
    path: str
    """The path of the site, as in Place."""
    dotfiles: bool
    """Whether names that begin with a dot are served."""


class ChangeFilter:
    """The changes that count with the options of a server."""

    def __init__(self, options: Options) -> None:
        self.places = tuple(
            WatchedPlace(os.path.abspath(place.directory), os.fsdecode(place.path), each.dotfiles)
            for each in options.of_all_sites
            for place in places_of(each)
        )
        """The directories of all sites."""
        written = {os.path.abspath(path) for path in (options.access_log, options.trace) if path not in _NO_FILE}
        self._not_served = {*written, options.config_file}
        names = [glob.strip("/") for glob in options.live_reload_ignore if "/" not in glob.rstrip("/")]
        paths = [glob.strip("/") for glob in options.live_reload_ignore if "/" in glob.rstrip("/")]
        self._ignored_name = _any_of((*_TEMPORARY, *names))
        self._ignored_path = _any_of(paths)

    @property
    def directories(self) -> list[str]:
        """The directories to watch, each once."""
        return list(dict.fromkeys(place.directory for place in self.places))

    def accepts(self, _kind: int, path: str) -> bool:
        """Whether a change at this path counts."""
        return path not in self._not_served and any(self._path_in(place, path) is not None for place in self.places)

    def swaps(self, batch: Iterable[Change]) -> list[str] | None:
        """What to do about changes that count: the paths of the files if a page may be able to swap them all, [] if it
        has to be reloaded, None if there is nothing to do."""
        kinds: dict[str, set[int]] = {}
        for kind, path in batch:
            kinds.setdefault(path, set()).add(kind)
        found: dict[str, None] = {}
        for path, had in kinds.items():
            if not os.path.exists(path):
                if ADDED in had:  # and removed: a temporary file
                    continue
                return []
            if had == {MODIFIED} and os.path.isdir(path):  # what has changed in it is a change of its own
                continue
            if not path.lower().endswith((*_STYLE_SHEETS, *_IMAGES)):
                return []
            found.update(dict.fromkeys(self._urls(path)))
        if len(found) > _MAX_SWAPS:
            return []
        return sorted(found) or None

    def _urls(self, path: str) -> Iterable[str]:
        """The paths of URLs at which a file is served."""
        for place in self.places:
            if (relative := self._path_in(place, path)) is not None:
                yield "/" + "/".join(part for part in (place.path, relative) if part)

    def _path_in(self, place: WatchedPlace, path: str) -> str | None:
        """The path of a file beneath a place; None if it is not there, or if its changes do not count."""
        if path == place.directory:
            return ""
        relative = path.removeprefix(place.directory.rstrip("/") + "/")
        if relative == path:
            return None
        names = relative.split("/")
        if not is_servable(tuple(map(os.fsencode, names)), place.dotfiles) or any(map(self._ignored_name, names)):
            return None
        if any(self._ignored_path("/".join(names[:end])) for end in range(1, len(names) + 1)):
            return None
        return None if _is_coded(path) else relative


def _any_of(globs: Sequence[str]) -> Callable[[str], object]:
    """A function that tells whether a text matches any of these globs."""
    return re.compile("|".join(map(translate, globs)) or r"(?!)").match


def _is_coded(path: str) -> bool:
    """Whether a file is the compressed form of one beside it, which has changed as well."""
    plain, ending = os.path.splitext(path)
    return ending.encode(errors="replace") in ENDINGS.values() and os.path.exists(plain)
