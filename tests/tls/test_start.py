"""What is wrong with certificates and options at the start is one line, with exit status 2."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.designs import DESIGNS
from tests.conformance.server import environment, running

from .certificates import DAY, make, rsa_key

Write = Callable[[Path], object]
PAIR = ("--tls-cert", "site.pem", "--tls-key", "site.key")


def failed(folder: Path, *options: str, program: str = "pwb_async") -> str:
    """The line of a server that does not start."""
    (folder / "root").mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", program, "root", "--port", "0", *options],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env={**environment(), "XDG_DATA_HOME": str(folder / "data")},
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr.rstrip("\n")


def _with_other_key(folder: Path) -> None:
    make("a.test").write(folder)
    make("b.test").write(folder, "b")
    os.rename(folder / "b.key", folder / "site.key")


def _with_rsa_key(folder: Path) -> None:
    make("a.test", key=rsa_key()).write(folder)
    (folder / "site.key").write_bytes(make("b.test").key_pem())


def _readable(folder: Path) -> None:
    make("a.test").write(folder)
    (folder / "site.key").chmod(0o644)


def _encrypted(folder: Path) -> None:
    pair = make("a.test")
    pair.write(folder)
    (folder / "site.key").write_bytes(pair.key_pem("secret"))


@pytest.mark.parametrize(
    ("write", "line"),
    [
        (lambda folder: None, "site.pem: cannot be read: No such file or directory."),
        (
            _with_other_key,
            "site.pem: the key in site.key does not fit the certificate, which must be the first one in its file.",
        ),
        (
            _with_rsa_key,
            "site.pem: the key in site.key does not fit the certificate, which must be the first one in its file.",
        ),
        (_readable, "site.key: every user of this machine may read or write this key; chmod o= site.key."),
        (
            _encrypted,
            "site.key: the key is encrypted, and a server cannot ask for its password; openssl pkey -in site.key ",
        ),
        (lambda folder: make("a.test", end=-DAY / 2).write(folder), "site.pem: it expired on "),
        (lambda folder: make("a.test", begin=DAY).write(folder), "site.pem: it is not valid before "),
    ],
)
def test_a_certificate_that_cannot_be_used(write: Write, line: str, tmp_path: Path) -> None:
    write(tmp_path)
    assert failed(tmp_path, *PAIR).startswith(f"pwb: {line}")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--tls-key", "site.key"), "--tls-key: it has no meaning without --tls-cert."),
        (
            ("--tls-cert", "site.pem"),
            "site.pem: there must be one --tls-key for each --tls-cert without a key in its file.",
        ),
        ((*PAIR, "--tls-self-signed"), "--tls-cert and --tls-self-signed: a server has either the one or the other."),
        (
            ("--tls-local", "--tls-self-signed"),
            "--tls-self-signed and --tls-local: a server has either the one or the other.",
        ),
        ((*PAIR, "--tls-name", "b.test"), "--tls-name: it has no meaning without --tls-self-signed or --tls-local."),
        (
            ("--tls-client-ca", "ca.pem"),
            "--tls-client-ca: it has no meaning without --tls-cert or --tls-self-signed or --tls-local.",
        ),
        ((*PAIR, "--tls-client-ca", "ca.pem"), "ca.pem: cannot be read: No such file or directory."),
        ((*PAIR, "--tls-client-ca", "site.key"), "site.key: there is no certificate in PEM in it, but a private key."),
        (
            ("--tls-local", "--tls-name", "bank.example"),
            "--tls-name bank.example: the local authority may certify names of local networks only.",
        ),
        (("--tls-self-signed", "--tls-name", "no name"), "--tls-name: 'no name' is not a host name"),
    ],
)
def test_options_that_do_not_fit(options: tuple[str, ...], line: str, tmp_path: Path) -> None:
    make("a.test").write(tmp_path)
    assert failed(tmp_path, *options).startswith(f"pwb: {line}")


def test_a_missing_package_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "cryptography.py").write_text("raise ImportError('no module named cryptography')")
    for option in ("--tls-self-signed", "--tls-local"):
        line = failed(tmp_path, option)
        assert line.startswith("pwb: the package cryptography, which makes certificates, cannot be imported: ")


async def test_the_designs_ignore_what_a_shared_file_has(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "pwb.toml").write_text("tls-self-signed = true\n")
    thread = next(each for each in DESIGNS if each.name == "thread")
    ignored = "the options of TLS are ignored: pwb-legacy serves HTTP"
    async with running(thread, tmp_path / "root", log_dir=tmp_path, allowed_errors=ignored) as server:
        assert server.scheme == "http"
        assert ignored in server.error_output()


def test_the_designs_have_no_tls(tmp_path: Path) -> None:
    line = failed(tmp_path, "--mode", "thread", "--tls-self-signed", program="pwb_legacy")
    assert line == "pwb-legacy: --tls-self-signed: no such option (it is an option of pwb)"
