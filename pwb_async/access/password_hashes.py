"""Password hashes as htpasswd(1), openssl(1) and Caddy write them, and how a password is checked against one.

    $2y$, $2b$, $2a$      bcrypt (htpasswd -B)                        the package bcrypt
    $argon2id$ and so on  Argon2                                      the package argon2-cffi
    $5$, $6$              sha-crypt (htpasswd -2 and -5)              the package libpass
    $apr1$                Apache's variant of MD5 (htpasswd -m)       the package libpass

Anything else is refused: plain text and DES hide no password, {SHA} has no salt. So are costs that no honest file has,
since a check may take as long as they say.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

Verify: TypeAlias = Callable[[bytes, bytes], bool]
"""A function of a password and a hash: whether they belong together."""
MAX_PASSWORD: Final = 1024
"""Bytes of a password; a longer one is wrong, as its check would take longer than others."""
_BCRYPT: Final = re.compile(rb"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SHA: Final = re.compile(
    rb"\$(?:5\$(?:rounds=(\d{1,9})\$)?[^$:]{0,16}\$[./A-Za-z0-9]{43}|6\$(?:rounds=(\d{1,9})\$)?[^$:]{0,16}\$[./A-Za-z0-9]{86})"
)
_APR1: Final = re.compile(rb"\$apr1\$[^$:]{0,8}\$[./A-Za-z0-9]{22}")
_ARGON2: Final = re.compile(
    rb"\$argon2(?:id|i|d)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{11,172}"
)
_MAX_BCRYPT_COST: Final = 16
_MAX_SHA_ROUNDS: Final = 1_000_000
_MAX_ARGON2: Final = (1 << 20, 64, 64)
"""KiB of memory, passes and lanes."""
_TOO_COSTLY: Final = "would take far too long to check"


class Scheme(NamedTuple):
    """The scheme and the cost of a hash: hashes for which they are equal take equally long to check."""

    name: str
    cost: tuple[int, ...]


def scheme_of(hashed: bytes) -> Scheme:
    """The scheme of a hash. Raises ValueError with the reason why it is not taken; the hash itself is not in it."""
    if match := _BCRYPT.fullmatch(hashed):
        if not 4 <= int(match[1]) <= _MAX_BCRYPT_COST:
            raise ValueError(_TOO_COSTLY)
        return Scheme("bcrypt", (int(match[1]),))
    if match := _SHA.fullmatch(hashed):
        rounds = int(match[1] or match[2] or 5000)
        if rounds > _MAX_SHA_ROUNDS:
            raise ValueError(_TOO_COSTLY)
        return Scheme("sha256_crypt" if hashed[1:2] == b"5" else "sha512_crypt", (rounds,))
    if _APR1.fullmatch(hashed):
        return Scheme("apr_md5_crypt", ())
    if match := _ARGON2.fullmatch(hashed):
        cost = tuple(map(int, match.groups()))
        if any(value > limit for value, limit in zip(cost, _MAX_ARGON2, strict=True)):
            raise ValueError(_TOO_COSTLY)
        return Scheme("argon2", cost)
    raise ValueError(_reason(hashed))


def _reason(hashed: bytes) -> str:
    if hashed.startswith((b"{SHA}", b"{SSHA}")):
        return "is SHA-1, which is cracked fast"
    if re.match(rb"\$(?:2[aby]|5|6|apr1|argon2(?:id|i|d))\$", hashed):
        return "is damaged or cut short"
    if hashed.startswith((b"$", b"{")):
        return "is of a scheme that PWB does not have"
    return "is plain text or DES" if hashed else "is empty"


def verifier(scheme: Scheme) -> Verify:
    """The function that checks passwords against hashes of a scheme, with all that it needs loaded."""
    if scheme.name == "bcrypt":
        return _bcrypt()
    return _argon2() if scheme.name == "argon2" else _libpass(scheme.name)


def load_all() -> None:
    """Load what any scheme needs, for files that change in a process that can load nothing any more."""
    for name in ("bcrypt", "argon2", "apr_md5_crypt", "sha256_crypt", "sha512_crypt"):
        verifier(Scheme(name, ()))


def _bcrypt() -> Verify:
    from bcrypt import checkpw

    def verify(password: bytes, hashed: bytes) -> bool:
        return len(password) <= 72 and checkpw(password, hashed)  # bcrypt reads no more of it

    return verify


def _argon2() -> Verify:
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    hasher = PasswordHasher()

    def verify(password: bytes, hashed: bytes) -> bool:
        try:
            return hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError):
            return False

    return verify


def _libpass(name: str) -> Verify:
    import passlib.hash

    handler = getattr(passlib.hash, name)
    if hasattr(handler, "get_backend"):
        handler.get_backend()  # which loads it

    def verify(password: bytes, hashed: bytes) -> bool:
        try:
            return bool(handler.verify(password, hashed.decode()))
        except ValueError:  # a NUL in the password
            return False

    return verify
