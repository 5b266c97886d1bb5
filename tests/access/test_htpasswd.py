"""Files of users: their schemes, mistakes in them, and how long a check takes."""

import time
from pathlib import Path
from statistics import median

import bcrypt
import pytest

from pwb_async.access import htpasswd
from pwb_async.access.htpasswd import Htpasswd
from pwb_async.access.password_hashes import scheme_of
from pwb_async.config.options import ConfigError
from tests.conformance.rows.access import authorization

SHA256 = "$5$RAVZZoByYGru5QCX$Zg6DCI8MlMxBOrIGxlxnOy81w7aRGdJTiBlGtQkEee9"
SHA512 = "$6$x9z8/7OTyoX0Sa8A$m63zot5lDGlxDMnURmuD2CerrK6gYu/.t4qf6bCfuxoRGbhviYe/bM3F3jdGC4nMM4H6P1g9UNZ4huh5z6hpD0"
APR1 = "$apr1$gub1p3uc$gsZnlgCBY7XCRXzYtlOm81"
ARGON2 = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$OkAFo6QTB+nBYgd3bAtQmw"


def value(user: str, password: str) -> bytes:
    return authorization(user, password).partition(": ")[2].encode()


def made(folder: Path, text: str) -> Htpasswd:
    path = folder / "users"
    path.write_text(text)
    return Htpasswd(str(path))


MISTAKES = [
    ("bob", "it is not a user and a hash such as bob:"),
    (":#!x", "it is not a user and a hash such as bob:"),
    ("bob:", "is empty"),
    ("bob:secret", "is plain text or DES"),
    ("bob:rqXexS6ZhobKA", "is plain text or DES"),
    ("bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "is SHA-1, which is cracked fast"),
    ("bob:{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "is SHA-1"),
    ("bob:$1$abc$0123456789012345678901", "is of a scheme that PWB does not have"),
    ("bob:{BCRYPT}x", "is of a scheme that PWB does not have"),
    ("bob:$2y$05$short", "is damaged or cut short"),
    ("bob:$6$salt$x", "is damaged or cut short"),
    ("bob:$argon2id$v=19$m=64", "is damaged or cut short"),
    ("bob:$2y$03$" + "a" * 53, "would take far too long"),
    ("bob:$2y$31$" + "a" * 53, "would take far too long"),
    ("bob:$5$rounds=999999999$s$" + "a" * 43, "would take far too long"),
    ("bob:" + ARGON2.replace("m=64", "m=99999999"), "would take far too long"),
]


@pytest.mark.parametrize(("line", "reason"), MISTAKES)
def test_mistakes(line: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        made(tmp_path, f"# first\nann:{APR1}\n{line}\n")
    assert "users line 3: " in str(caught.value)
    assert reason in str(caught.value)
    secret = line.partition(":")[2]
    assert not secret or secret not in str(caught.value).rpartition("/")[2]


def test_mistakes_of_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no users in it"):
        made(tmp_path, "# nothing\n\n")
    with pytest.raises(ConfigError, match=r"line 3: user 'bob' is there twice, also in line 1\."):
        made(tmp_path, f"bob:{APR1}\n\nbob:{SHA256}\n")
    with pytest.raises(ConfigError, match="Is a directory"):
        Htpasswd(str(tmp_path))
    monkeypatch.setattr(htpasswd, "_MAX_BYTES", 10)
    with pytest.raises(ConfigError, match="is larger than"):
        made(tmp_path, f"bob:{APR1}\n")
    with pytest.raises(ConfigError, match="/dev/zero: cannot be read: it is larger than"):
        Htpasswd("/dev/zero")


def test_every_scheme(tmp_path: Path) -> None:
    blowfish = bcrypt.hashpw(b"pw", bcrypt.gensalt(4)).decode()
    hashes = {"b": blowfish, "y": blowfish.replace("$2b", "$2y"), "5": SHA256, "6": SHA512, "m": APR1, "a": ARGON2}
    users = made(tmp_path, "\ufeff" + "".join(f"{user}:{hashed}:rest\r\n" for user, hashed in hashes.items()))
    for user in hashes:
        right = "argon" if user == "a" else "pw"
        for _ in range(2):
            assert users.verify(value(user, right))
        assert users.has_verified(value(user, right))
        for wrong in ("", "PW", right + "\0", "x" * 73, "x" * 5000, "ü"):
            assert not users.verify(value(user, wrong)), (user, wrong)
            assert not users.has_verified(value(user, wrong))
    for nonsense in (b"", b"Basic", b"Basic Ym9i"):
        assert not users.verify(nonsense)


def test_a_password_of_72_bytes_and_one_that_is_longer(tmp_path: Path) -> None:
    long = "x" * 72
    users = made(tmp_path, f"b:{bcrypt.hashpw(long.encode(), bcrypt.gensalt(4)).decode()}\n")
    assert users.verify(value("b", long))
    assert not users.verify(value("b", long + "y"))


def test_what_is_known_is_bounded_and_ends_with_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(htpasswd, "_MAX_KNOWN", 2)
    hashed = bcrypt.hashpw(b"pw", bcrypt.gensalt(4)).decode()
    users = made(tmp_path, "".join(f"{user}:{hashed}\n" for user in "abc"))
    for user in "abc":
        assert users.verify(value(user, "pw"))
    assert [user for user in "abc" if users.has_verified(value(user, "pw"))] == ["b", "c"]
    (tmp_path / "users").write_text(f"b:{bcrypt.hashpw(b'new', bcrypt.gensalt(4)).decode()}\n")
    assert users.reload()
    assert not users.has_verified(value("b", "pw"))
    assert not users.has_verified(value("c", "pw"))
    assert users.verify(value("b", "new"))


def test_a_mistake_keeps_the_users(tmp_path: Path) -> None:
    users = made(tmp_path, f"a:{ARGON2}\n")
    assert not users.reload()
    (tmp_path / "users").write_text(f"bob:{ARGON2}\n")
    assert users.reload(log=False)
    assert users.verify(value("bob", "argon"))
    (tmp_path / "users").write_text("bob:plain\n")
    assert not users.reload(log=False)
    (tmp_path / "users").unlink()
    assert not users.reload(log=False)
    assert users.verify(value("bob", "argon"))


def test_a_user_that_does_not_exist_takes_as_long(tmp_path: Path) -> None:
    """The check is that of the scheme and cost that most users have."""
    costly = "".join(f"{user}:{bcrypt.hashpw(b'pw', bcrypt.gensalt(8)).decode()}\n" for user in "abc")
    users = made(tmp_path, f"first:{APR1}\n{costly}")
    assert scheme_of(users._decoy.hashed) == ("bcrypt", (8,))

    def seconds(user: str) -> float:
        times = []
        for number in range(9):
            began = time.thread_time()
            assert not users.verify(value(user, f"wrong{number}"))
            times.append(time.thread_time() - began)
        return median(times)

    known, unknown = seconds("a"), seconds("nobody")
    assert 0.7 < unknown / known < 1.4, (known, unknown)


def test_100_000_users(tmp_path: Path) -> None:
    """They are read in bounded time, as no hash is computed."""
    hashed = bcrypt.hashpw(b"pw", bcrypt.gensalt(4)).decode()
    text = "".join(f"user{number}:{hashed}\n" for number in range(100_000))
    began = time.process_time()
    users = made(tmp_path, text)
    assert time.process_time() - began < 3
    assert users.verify(value("user99999", "pw"))
