"""When certificates are read again, when they are renewed, and when only a warning is logged."""

import logging
import os
import resource
import ssl
import time
from pathlib import Path

import pytest

from pwb_async.tls.certified_key import read_certified_keys
from pwb_async.tls.contexts import TLSContexts
from pwb_async.tls.errors import CertificateError
from pwb_async.tls.reloading import ReloadingContexts

from .certificates import DAY, make
from .handshake import shake


class Site:
    """A certificate in a folder, and the contexts that are made of it. look: checks it a second later."""

    def __init__(self, folder: Path, **settings: bool) -> None:
        self.folder = folder
        self.paths = make("first.test").write(folder)
        self.now = 1000.0
        self.contexts = ReloadingContexts(self.load, [str(path) for path in self.paths], **settings)

    def load(self) -> TLSContexts:
        certificate, key = map(str, self.paths)
        return TLSContexts(read_certified_keys([certificate], [key]))

    def look(self) -> bool:
        self.now += 1
        return self.contexts.check(self.now)

    @property
    def name(self) -> str:
        return shake(self.contexts.context()).names[0]


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pwb")


def test_new_files_count_once_they_have_been_the_same_at_two_looks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(tmp_path)
    assert not site.look()
    new = make("second.test")
    site.paths[0].write_bytes(new.certificate_pem)  # the key follows later
    assert not site.look()
    site.paths[1].write_bytes(new.key_pem())
    assert not site.look()
    assert site.name == "first.test"
    assert site.look()
    assert site.name == "second.test"
    assert not site.look()
    assert caplog.messages == [f"new certificates: {site.paths[0]}"]


def test_a_look_that_comes_too_early_does_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    make("second.test").write(tmp_path)
    assert not site.look()
    assert not site.contexts.check(site.now + 0.9)
    assert site.contexts.check(site.now + 1)


def test_what_cannot_be_used_is_said_once_and_the_old_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(tmp_path)
    site.paths[0].unlink()
    assert [site.look() for _ in range(4)] == [False] * 4
    make("second.test").write(tmp_path)
    site.paths[1].chmod(0o644)
    assert [site.look() for _ in range(4)] == [False] * 4
    assert site.name == "first.test"
    assert [message.partition(": ")[0] for message in caplog.messages] == ["the certificates stay as they were"] * 2
    assert "site.pem: cannot be read: No such file" in caplog.messages[0]
    assert "site.key: every user of this machine" in caplog.messages[1]
    site.paths[1].chmod(0o600)
    assert [site.look() for _ in range(4)] == [False, True, False, False]
    assert site.name == "second.test"


def test_files_that_could_not_be_read_are_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Too many open files, or a disk that is away: the next change of the files may be 60 days away."""
    site = Site(tmp_path)
    make("second.test").write(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        assert [site.look() for _ in range(200)] == [False] * 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    [message] = caplog.messages
    assert message.endswith("Too many open files.")
    assert [site.look() for _ in range(60)].count(True) == 1
    assert site.name == "second.test"
    assert not any(site.look() for _ in range(200))


@pytest.mark.parametrize("missing", [1, 2])
def test_a_descriptor_too_few_is_a_fault_of_a_certificate(missing: int, tmp_path: Path) -> None:
    """Not only where a file is opened, but where OpenSSL gets what was in it."""
    [certified] = read_certified_keys(*([str(path)] for path in make("first.test").write(tmp_path)))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 2 - missing, limits[1]))
    try:
        with pytest.raises(CertificateError, match="Too many open files"):
            certified.load_into(context)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_renewal_that_fails_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(tmp_path, watch=False, renew=True)
    site.paths = make("ending.test", begin=-80 * DAY, end=19 * DAY).write(tmp_path, "ending")
    site.contexts = ReloadingContexts(site.load, [], watch=False, renew=True)
    site.paths = (tmp_path / "away.pem", tmp_path / "away.key")
    assert not any(site.look() for _ in range(100))
    assert len(caplog.messages) == 1
    make("second.test").write(tmp_path, "away")
    assert [site.look() for _ in range(60)].count(True) == 1


def test_a_symbolic_link_that_is_switched_as_certbot_does(tmp_path: Path) -> None:
    for number, name in enumerate(("first.test", "second.test")):
        (tmp_path / str(number)).mkdir()
        make(name).write(tmp_path / str(number))
    (tmp_path / "live").symlink_to("0")
    paths = [str(tmp_path / "live" / name) for name in ("site.pem", "site.key")]
    contexts = ReloadingContexts(lambda: TLSContexts(read_certified_keys(paths[:1], paths[1:])), paths)
    (tmp_path / "new").symlink_to("1")
    (tmp_path / "new").rename(tmp_path / "live")
    assert [contexts.check(now) for now in (1.0, 2.0)] == [False, True]
    assert shake(contexts.context()).names == ["second.test"]


def test_files_that_are_not_watched(tmp_path: Path) -> None:
    site = Site(tmp_path, watch=False)
    make("second.test").write(tmp_path)
    assert not any(site.look() for _ in range(4))
    assert site.name == "first.test"


def test_a_warning_once_a_day(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(tmp_path, watch=False)
    ending = make("ending.test", begin=-80 * DAY, end=19 * DAY).write(tmp_path, "ending")
    site.paths = ending
    site.contexts = ReloadingContexts(site.load, [], watch=False)
    for _ in range(3):
        assert not site.look()
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{ending[0]}: it ends on 20")
    assert caplog.messages[0].endswith("in 19.0 days")
    site.now += 86400
    assert not site.look()
    assert len(caplog.messages) == 2


def test_a_certificate_that_is_made_here_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path, watch=False, renew=True)
    assert not site.look()
    first = site.contexts.context()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 80 * 86400)
    site.now += 86400
    make("second.test", end=200 * DAY).write(tmp_path)
    assert site.look()
    assert site.contexts.context() is not first
    assert not site.look()


def test_what_is_read_first_must_be_right(tmp_path: Path) -> None:
    def fail() -> TLSContexts:
        raise CertificateError("no")

    with pytest.raises(CertificateError):
        ReloadingContexts(fail, [os.fspath(tmp_path)])
