"""A file of users and password hashes, in the form of htpasswd(1): read at the start, and again when it changes.

A password is checked once: then a keyed hash of the credentials is kept beside the password hash they belong to, and
they are known as long as the file has that hash. The key is made at the start, and no password is kept.
"""

import logging
import os
import threading
from collections import Counter
from hashlib import blake2b
from typing import Final, NamedTuple

from pwb_async.config.options import ConfigError
from pwb_async.core.semantics.credentials import parse_basic
from pwb_async.output.pipes import read_file

from .password_hashes import MAX_PASSWORD, Scheme, Verify, scheme_of, verifier

logger: Final = logging.getLogger("pwb")
_MAX_BYTES: Final = 64 << 20
"""Bytes of a file; 100,000 users with bcrypt take 7 MB."""
_MAX_KNOWN: Final = 4096
"""Credentials that are known at a time; beyond that, those that have been checked first are forgotten."""


class _User(NamedTuple):
    hashed: bytes
    verify: Verify


class Htpasswd:
    """The users of one file. Several threads may use it at once."""

    def __init__(self, path: str) -> None:
        """Read the file. Raises ConfigError."""
        self.path = path
        """The file."""
        self._key = os.urandom(32)
        self._known: dict[bytes, tuple[bytes, bytes]] = {}
        self._lock = threading.Lock()
        self._last_error = ""
        self._version = self._stat()
        self._users, self._decoy = _parse(path)

    def has_verified(self, authorization: bytes) -> bool:
        """Whether these credentials, the value of Authorization, have been checked and still hold. It never blocks."""
        known = self._known.get(blake2b(authorization, digest_size=16, key=self._key).digest())
        return known is not None and (user := self._users.get(known[0])) is not None and user.hashed == known[1]

    def verify(self, authorization: bytes) -> bool:
        """Whether these credentials are right. It blocks for as long as the hash takes.

        It takes as long for a user that does not exist: their password is checked against a hash of the scheme and cost
        that most users have, and the result is dropped.
        """
        if self.has_verified(authorization):
            return True
        credentials = parse_basic(authorization)
        if credentials is None or len(credentials[1]) > MAX_PASSWORD:
            return False
        user = self._users.get(credentials[0])
        hashed, verify = user or self._decoy
        if not verify(credentials[1], hashed) or user is None:
            return False
        with self._lock:
            if len(self._known) >= _MAX_KNOWN:
                self._known.pop(next(iter(self._known)))
            digest = blake2b(authorization, digest_size=16, key=self._key).digest()
            self._known[digest] = credentials[0], user.hashed
        return True

    def reload(self, *, log: bool = True) -> bool:
        """Read the file again if it has changed; return whether it was. After a mistake the users stay as they were.

        log: whether a mistake is logged.
        """
        try:
            version = self._stat()
            if version == self._version:
                return False
            self._users, self._decoy = _parse(self.path)
            self._version = version
        except ConfigError as error:
            if log and str(error) != self._last_error:
                logger.error("the users stay as they were: %s", error)
            self._last_error = str(error)
            return False
        self._last_error = ""
        if log:
            logger.info("users read again from %s", self.path)
        return True

    def _stat(self) -> tuple[int, ...]:
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be read: {error.strerror}.") from None
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _parse(path: str) -> tuple[dict[bytes, _User], _User]:
    """The users of a file, and one whose hash is of the commonest scheme. Raises ConfigError."""
    try:
        content = read_file(path, _MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    users: dict[bytes, _User] = {}
    lines: dict[bytes, int] = {}
    verifiers: dict[Scheme, Verify] = {}
    schemes: Counter[Scheme] = Counter()
    samples: dict[Scheme, _User] = {}
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith(b"#"):
            continue
        name, colon, rest = line.partition(b":")
        if not colon or not name:
            raise ConfigError(f"{path} line {number}: it is not a user and a hash such as bob:$2y$05$...")
        if name in users:
            raise ConfigError(f"{path} line {number}: user {_shown(name)} is there twice, also in line {lines[name]}.")
        hashed = rest.partition(b":")[0]
        try:
            scheme = scheme_of(hashed)
        except ValueError as error:
            raise ConfigError(
                f"{path} line {number}: the hash of user {_shown(name)} {error}; htpasswd -B makes one of bcrypt."
            ) from None
        verify = verifiers.get(scheme)
        if verify is None:
            verify = verifiers[scheme] = verifier(scheme)
        user = users[name] = _User(hashed, verify)
        lines[name] = number
        schemes[scheme] += 1
        samples.setdefault(scheme, user)
    if not users:
        raise ConfigError(f"{path}: there are no users in it.")
    return users, samples[schemes.most_common(1)[0][0]]


def _shown(name: bytes) -> str:
    return repr(name.decode(errors="replace"))
