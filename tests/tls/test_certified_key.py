"""Certificates and keys in files: which belong together, and what is wrong with them."""

import os
import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pwb_async.tls.certificate import Certificate, parse_certificate
from pwb_async.tls.certified_key import certificates_in, read_certified_keys
from pwb_async.tls.errors import CertificateError

from .certificates import DAY, make, rsa_key


def read(*names: Path | str | None) -> list[Certificate]:
    """The certificates that are read from files, of which those that end in .key hold keys."""
    paths = [str(name) for name in names]
    certificates = [path for path in paths if not path.endswith(".key")]
    keys = [path for path in paths if path.endswith(".key")]
    return [key.certificate for key in read_certified_keys(certificates, keys)]


def test_a_certificate(tmp_path: Path) -> None:
    now = time.time()
    (found,) = read(*make("A.test", "*.a.test", "10.0.0.1", "::1", end=50 * DAY).write(tmp_path))
    assert found.names == ("a.test", "*.a.test")
    assert abs(found.not_after - now - 50 * 86400) < 10
    assert abs(found.not_before - now + 86400) < 10
    assert not found.is_about_to_end(now + 37 * 86400)
    assert found.is_about_to_end(now + 38 * 86400)
    assert re.fullmatch(
        r"it ends on 20\d\d-\d\d-\d\d \d\d:\d\d UTC, in 10\.0 days", found.describe_end(now + 40 * 86400)
    )
    assert found.describe_end(now + 60 * 86400).startswith("it expired on 20")


@pytest.mark.parametrize("days", [10_000, 60_000, 2_000_000])
def test_times_far_away(days: int) -> None:
    """UTCTime until 2049, GeneralizedTime afterwards (RFC 5280 4.1.2.5)."""
    pair = make("a.test", end=timedelta(days=days))
    found = parse_certificate(pair.certificate.public_bytes(Encoding.DER))
    assert found.not_after == int(pair.certificate.not_valid_after_utc.timestamp())
    assert found.not_before == int(pair.certificate.not_valid_before_utc.timestamp())


def test_a_certificate_of_the_last_century() -> None:
    pair = make("a.test", begin=timedelta(days=-365 * 45), end=-DAY)
    found = parse_certificate(pair.certificate.public_bytes(Encoding.DER))
    assert found.not_before == int(pair.certificate.not_valid_before_utc.timestamp())


def test_a_certificate_without_names(tmp_path: Path) -> None:
    (found,) = read(*make().write(tmp_path))
    assert found.names == ()


def test_a_long_list_of_names(tmp_path: Path) -> None:
    names = [f"host-{number}.test" for number in range(5000)]
    (found,) = read(*make(*names).write(tmp_path))
    assert found.names == tuple(names)


def test_a_key_in_the_file_of_its_certificate(tmp_path: Path) -> None:
    pair, other = make("a.test"), make("b.test", key=rsa_key())
    both = tmp_path / "both.pem"
    both.write_bytes(pair.key_pem() + pair.certificate_pem)
    both.chmod(0o640)
    assert [each.names[0] for each in read(both)] == ["a.test"]
    assert [each.names[0] for each in read(both, *other.write(tmp_path))] == ["a.test", "b.test"]
    link = tmp_path / "both.key"
    link.symlink_to(both)
    assert [each.names[0] for each in read(both, link)] == ["a.test"]


def test_a_chain(tmp_path: Path) -> None:
    authority = make("authority", authority=True)
    leaf = make("a.test", issuer=authority)
    path, key = leaf.write(tmp_path)
    path.write_bytes(leaf.certificate_pem + b"\nof:\n" + authority.certificate_pem)
    (found,) = read_certified_keys([str(path)], [str(key)])
    assert found.certificate.names == ("a.test",)
    assert found.pem.count(b"BEGIN CERTIFICATE") == 2
    path.write_bytes(authority.certificate_pem + leaf.certificate_pem)
    with pytest.raises(
        CertificateError,
        match=r"site\.pem: the key in .*/site\.key does not fit the certificate, which must be the first",
    ):
        read(path, key)


def test_a_key_with_the_parameters_of_its_curve(tmp_path: Path) -> None:
    """As `openssl ecparam -genkey` writes it."""
    pair = make("a.test")
    path, key = pair.write(tmp_path)
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    key.write_bytes(parameters + pair.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    assert read(path, key)


def test_a_key_of_another_certificate_does_not_fit(tmp_path: Path) -> None:
    """Also behind a pair of the same type that does."""
    good = make("a.test").write(tmp_path, "good")
    for key in (ec.generate_private_key(ec.SECP256R1()), rsa_key()):
        path, _ = make("b.test", key=key).write(tmp_path, "b")
        _, other = make("c.test").write(tmp_path, "c")
        with pytest.raises(CertificateError, match=r"/b\.pem: the key in .*/c\.key does not fit the certificate"):
            read(*good, path, other)


def test_a_key_in_its_file_that_does_not_fit(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(make("a.test").key_pem() + make("a.test").certificate_pem)
    both.chmod(0o600)
    with pytest.raises(CertificateError, match=r"^\S*/both\.pem: the key in it does not fit the certificate"):
        read(both)


def test_options_that_are_exchanged(tmp_path: Path) -> None:
    path, key = make("a.test").write(tmp_path)
    path.chmod(0o644)
    with pytest.raises(CertificateError) as raised:
        read_certified_keys([str(key)], [str(path)])
    assert str(raised.value) == f"{path}: there is no private key in PEM in it, but a certificate"
    both = tmp_path / "both.pem"
    both.write_bytes(path.read_bytes() + key.read_bytes())
    both.chmod(0o600)
    with pytest.raises(CertificateError) as raised:
        read_certified_keys([str(key)], [str(both)])
    assert str(raised.value) == f"{key}: there is no certificate in PEM in it, but a private key"


@pytest.mark.parametrize("cut", [30, 200, -20])
def test_a_chain_that_is_cut_off(cut: int, tmp_path: Path) -> None:
    authority = make("authority", authority=True)
    leaf = make("a.test", issuer=authority)
    path, key = leaf.write(tmp_path)
    path.write_bytes(leaf.certificate_pem + authority.certificate_pem[:cut])
    with pytest.raises(CertificateError, match=r"site\.pem: certificate 2 in it is not whole"):
        read(path, key)
    with pytest.raises(CertificateError, match=r"site\.pem: certificate 2 in it is not whole"):
        certificates_in(str(path))


def test_a_warning_of_a_chain_that_does_not_lead_to_an_authority(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority, other = make("authority", authority=True), make("other", authority=True)
    leaf = make("a.test", issuer=authority)
    path, key = leaf.write(tmp_path)
    warning = f"{path}: the certificate of its issuer is not behind it; clients that lack that one do not trust it"
    for chain, warnings in (((leaf,), [warning]), ((leaf, other), [warning]), ((leaf, authority), [])):
        path.write_bytes(b"".join(each.certificate_pem for each in chain))
        caplog.clear()
        read(path, key)
        assert caplog.messages == warnings
    read(*make("b.test").write(tmp_path, "b"))
    assert not caplog.messages


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "there is no certificate in PEM in it"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "OpenSSL refuses it: "),
        (b"-----BEGIN CERTIFICATE-----\n$$$\n-----END CERTIFICATE-----\n", "there is no certificate in PEM in it"),
    ],
)
def test_a_file_that_is_no_certificate(content: bytes, words: str, tmp_path: Path) -> None:
    path, key = make("a.test").write(tmp_path)
    path.write_bytes(content)
    with pytest.raises(CertificateError, match=rf"site\.pem: {words}"):
        read(path, key)


def test_a_file_that_is_no_key(tmp_path: Path) -> None:
    path, key = make("a.test").write(tmp_path)
    key.write_bytes(path.read_bytes())
    with pytest.raises(CertificateError, match=r"site\.key: there is no private key in PEM in it"):
        read(path, key)


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_an_encrypted_key(form: PrivateFormat, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

    pair = make("a.test")
    path, key = pair.write(tmp_path)
    key.write_bytes(pair.key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"secret")))
    with pytest.raises(
        CertificateError, match=r"site\.key: the key is encrypted, .*; openssl pkey -in \S*site\.key -out "
    ):
        read(path, key)


@pytest.mark.parametrize(
    ("begin", "end", "words"), [(-2 * DAY, -DAY, "it expired on 20"), (DAY, 2 * DAY, "it is not valid before 20")]
)
def test_a_certificate_that_is_not_valid_now(begin: timedelta, end: timedelta, words: str, tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=rf"site\.pem: {words}"):
        read(*make("a.test", begin=begin, end=end).write(tmp_path))


def test_a_short_key(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    path, key = make("a.test", key=rsa.generate_private_key(65537, 1024)).write(tmp_path)
    with pytest.raises(CertificateError, match=r"site\.pem: the key is too short for OpenSSL"):
        read(path, key)


@pytest.mark.parametrize(
    ("mode", "refused"), [(0o600, False), (0o640, False), (0o400, False), (0o644, True), (0o602, True)]
)
def test_a_key_that_every_user_may_read(mode: int, refused: bool, tmp_path: Path) -> None:
    path, key = make("a.test").write(tmp_path)
    key.chmod(mode)
    path.chmod(0o644)
    if refused:
        with pytest.raises(
            CertificateError, match=r"site\.key: every user of this machine may read or write this key; chmod o= "
        ):
            read(path, key)
    else:
        assert read(path, key)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path, key = make("a.test").write(tmp_path)
    with pytest.raises(CertificateError, match=r"none\.pem: cannot be read: No such file"):
        read(tmp_path / "none.pem", key)
    with pytest.raises(CertificateError, match=r"none\.key: cannot be read: No such file"):
        read(path, tmp_path / "none.key")
    with pytest.raises(CertificateError, match="cannot be read: Is a directory"):
        read(os.fspath(tmp_path), key)


def test_keys_that_are_missing_or_too_many(tmp_path: Path) -> None:
    path, key = make("a.test").write(tmp_path)
    for names in ((path,), (path, path, key), (path, key, key)):
        with pytest.raises(CertificateError, match=r"site\.pem: there must be one --tls-key for each --tls-cert"):
            read(*names)
