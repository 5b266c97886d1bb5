"""The files of rules in the folders of a site, _headers and _redirects: read at the start, and again when they change.

Their paths are beneath the place at which the site has the folder. A rule of a folder further down is closer to the
request: its fields are set later, and its redirects are asked before those of the folders above it.

Whether they have changed is seen by reading them, in a thread that may wait for the disk. A new version with a mistake
is logged once, and the rules stay as they were.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Final, NamedTuple

from pwb_async.config.options import ConfigError
from pwb_async.config.rules import Rules
from pwb_async.core.semantics.messages import File
from pwb_async.core.site.findings import Finding, Forbidden, NotFound, OpenFile, StorageError, Unavailable
from pwb_async.core.site.lookup import NO_REQUEST, Candidate, EntryKind, Lookup, Storage, file_candidates
from pwb_async.core.site.redirect_rules import RedirectRule
from pwb_async.core.site.servable import is_servable

logger: Final = logging.getLogger("pwb")
HEADERS: Final = "_headers"
REDIRECTS: Final = "_redirects"
NAMES: Final = (HEADERS, REDIRECTS)
"""The files of rules."""
_MAX_BYTES: Final = 2 << 20
"""Bytes of a file that are read; one with so many is refused when it is parsed."""
_MAX_WARNINGS: Final = 20
"""Warnings that are logged; the others are counted."""
_MAX_LOOKUPS: Final = 1000
"""Sources of redirects that are looked up, to warn of files that win over them."""


class _UnavailableError(ConfigError):
    """A file cannot be read for a reason that is expected to pass."""


class RuleFolder(NamedTuple):
    """A directory that may hold files of rules."""

    storage: Storage
    shown: str
    """What messages call it."""
    place: bytes = b""
    """The path at which the site has it, without a slash at either end."""


class RuleFiles:
    """The rules of a site: those of the options, and those of the files in its folders, if they are read."""

    rules: Rules
    """All rules, as they were when there was no mistake in them; load() reads them first."""

    def __init__(
        self,
        storage: Storage,
        folders: Sequence[RuleFolder],
        options: Rules,
        *,
        names: Sequence[str] = NAMES,
        indexes: tuple[bytes, ...] = (b"index.html",),
        dotfiles: bool = False,
        looks_up: bool = True,
    ) -> None:
        """storage: that of the whole site. options: the rules of the options, which come before those of the files.

        folders: where the files are; none lies beneath one that is behind it. names: the files that are read.
        indexes, dotfiles: those of Site. looks_up: whether files are looked up in order to warn of rules; not in an
        object store, where each would be a request.
        """
        self._storage = storage
        self._folders = folders
        self._options = options
        self._names = names
        self._indexes, self._dotfiles, self._looks_up = indexes, dotfiles, looks_up
        self._contents: list[bytes] = []
        self._last_error = ""

    def load(self) -> None:
        """Read the rules. Raises ConfigError."""
        self._contents = self._read()
        self.rules = self._parse(self._contents, log=True)

    def reload(self, *, log: bool = True) -> bool:
        """Read the rules again; return whether they are others by now. After a mistake they stay as they were.

        log: whether mistakes and warnings are logged.
        """
        try:
            contents = self._read()
            if contents == self._contents:
                return False
            self._contents = contents
            self.rules = self._parse(contents, log=log)
        except _UnavailableError:
            return False
        except ConfigError as error:
            if log and str(error) != self._last_error:
                logger.error("the rules stay as they were: %s", error)
            self._last_error = str(error)
            return False
        self._last_error = ""
        if log:
            logger.info("rules read again from %s", ", ".join(folder.shown for folder in self._folders))
        return True

    def _read(self) -> list[bytes]:
        """The content of each file; b"" for one that does not exist. Raises ConfigError."""
        return [
            _content(folder.storage, name, os.path.join(folder.shown, name))
            for folder in self._folders
            for name in self._names
        ]

    def _parse(self, contents: Sequence[bytes], log: bool) -> Rules:
        if not any(contents) and self._options == Rules():
            return self._options
        # Imported here, because most sites have no rules.
        from pwb_async.core.site.rule_warnings import header_warnings, redirect_warnings

        headers, redirects = list(self._options.headers), list(self._options.redirects)
        warnings = list(self._options.warnings)
        files = iter(contents)
        found = [_parse_files(folder, dict(zip(self._names, files, strict=False))) for folder in self._folders]
        for rules in found:
            headers += rules.headers
            warnings += (*rules.warnings, *header_warnings(rules.headers))
        for rules in reversed(found):
            redirects += rules.redirects
        if log:
            warnings_now = [*warnings, *redirect_warnings(redirects, self._dotfiles)]
            if self._looks_up:
                warnings_now += (*self._overruled(redirects), *self._missing(redirects))
            self._warn(warnings_now)
        return Rules(tuple(headers), tuple(redirects), tuple(warnings))

    def _warn(self, lines: Sequence[str]) -> None:
        for line in lines[:_MAX_WARNINGS]:
            logger.warning("%s", line)
        if len(lines) > _MAX_WARNINGS:
            logger.warning("%d more warnings about rules", len(lines) - _MAX_WARNINGS)

    def _overruled(self, rules: Sequence[RedirectRule]) -> Iterator[str]:
        """A line about each rule for the path of a file, which wins over it."""
        unforced = (rule for rule in rules if not (rule.force or rule.query or rule.pattern.host))
        exact = ((rule, rule.pattern.segments) for rule in unforced if rule.pattern.segments is not None)
        for rule, segments in islice(exact, _MAX_LOOKUPS):
            path = b"/".join(segments)
            if path and isinstance(_find(self._storage, _file(path)), OpenFile):
                yield f"{rule.place}: the file {rule.pattern.text} wins over it, unless it is forced"

    def _missing(self, rules: Sequence[RedirectRule]) -> Iterator[str]:
        """A line about each rewrite to a file that does not exist."""
        fixed = (rule for rule in rules if rule.status == 200 and not rule.destination.names)
        for rule in islice(fixed, _MAX_LOOKUPS):
            path = rule.destination.file_path({})
            segments = tuple(segment for segment in path.split(b"/") if segment)
            files = file_candidates(b"/".join(segments), path.endswith(b"/"), self._indexes, rule.status)
            if not is_servable(segments, self._dotfiles) or isinstance(_find(self._storage, *files), NotFound):
                yield f"{rule.place}: there is no file {rule.destination.text}"


def _parse_files(folder: RuleFolder, contents: Mapping[str, bytes]) -> Rules:
    """The rules in the files of a folder. Raises ConfigError."""
    from pwb_async.config.headers_file import parse_headers
    from pwb_async.config.redirects_file import parse_redirects

    headers = parse_headers(os.path.join(folder.shown, HEADERS), contents.get(HEADERS, b""), folder.place)
    redirects = parse_redirects(os.path.join(folder.shown, REDIRECTS), contents.get(REDIRECTS, b""), folder.place)
    return Rules(headers.rules, redirects.rules, (*headers.warnings, *redirects.warnings))


def _find(storage: Storage, *candidates: Candidate) -> Finding:
    """The first of these candidates that exists. A large file is closed again."""
    finding = storage.find(_lookup(*candidates))
    if isinstance(finding, OpenFile) and finding.file is not None:
        finding.file.close()
    return finding


def _lookup(*candidates: Candidate) -> Lookup:
    return Lookup(NO_REQUEST, candidates[0].path if candidates else b"", candidates)


def _file(path: bytes) -> Candidate:
    return Candidate(path, EntryKind.FILE)


def _content(storage: Storage, name: str, shown: str) -> bytes:
    match storage.find(_lookup(_file(name.encode()))):
        case OpenFile(content=bytes(content)):
            return content
        case OpenFile(file=file, size=size) if file is not None:
            with closing(file):
                return _read_whole(file, min(size, _MAX_BYTES), shown)
        case Forbidden():
            raise ConfigError(f"{shown}: cannot be read: permission denied.")
        case StorageError(detail=detail):
            raise ConfigError(f"{shown}: cannot be read: {detail}.")
        case Unavailable(detail=detail):
            raise _UnavailableError(f"{shown}: cannot be read: {detail}.")
    return b""


def _read_whole(file: File, size: int, shown: str) -> bytes:
    buffer = bytearray(size)
    try:
        read = file.read_into(buffer, 0)
    except OSError as error:
        raise ConfigError(f"{shown}: cannot be read: {error.strerror}.") from None
    return bytes(buffer[:read])
