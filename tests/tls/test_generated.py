"""Certificates that the server makes: signed by themselves, or by the local authority."""

import ipaddress
import logging
import os
import re
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pwb_async.network.local_names import names_of
from pwb_async.tls.certified_key import CertifiedKey
from pwb_async.tls.contexts import TLSContexts
from pwb_async.tls.errors import CertificateError
from pwb_async.tls.generated import make_local, make_self_signed

from .handshake import shake


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    """The user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "my data"))
    caplog.set_level(logging.INFO, "pwb")
    return tmp_path / "my data"


def trusting(path: Path) -> ssl.SSLContext:
    """A client that trusts only what is in a file, and checks names."""
    return ssl.create_default_context(cafile=str(path))


def leaf(key: CertifiedKey) -> x509.Certificate:
    return x509.load_pem_x509_certificate(key.pem)


def test_self_signed(data: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    key = make_self_signed(["localhost", "127.0.0.1", "::1", "a.test"])
    (message,) = caplog.messages
    found = re.fullmatch(
        r"self-signed certificate for localhost, 127\.0\.0\.1, ::1, a\.test; SHA-256 fingerprint (.+)", message
    )
    assert found is not None
    assert bytes.fromhex(found[1].replace(":", "")) == leaf(key).fingerprint(hashes.SHA256())
    path = tmp_path / "trusted.pem"
    path.write_bytes(key.pem.partition(b"-----BEGIN PRIVATE")[0])
    for name in ("localhost", "a.test", "127.0.0.1", "::1"):
        assert shake(TLSContexts([key]), name, trusting(path)).version == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(TLSContexts([key]), "b.test", trusting(path))
    assert make_self_signed(["localhost"]).pem != make_self_signed(["localhost"]).pem


def test_the_local_authority_is_made_once(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = make_local(["localhost", "127.0.0.1"], [])
    folder = data / "pwb" / "authority"
    certificate, private = folder / "authority.pem", folder / "authority.key"
    before = certificate.read_bytes(), private.read_bytes()
    second = make_local(["localhost", "a.test"], ["b.test"])
    assert (certificate.read_bytes(), private.read_bytes()) == before
    assert sorted(os.listdir(folder.parent)) == ["authority"]
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    client = trusting(certificate)
    assert shake(TLSContexts([first]), "127.0.0.1", client).version == "TLSv1.3"
    for name in ("localhost", "a.test", "b.test"):
        assert shake(TLSContexts([second]), name, client).version == "TLSv1.3"
    line = caplog.messages[1]
    assert line.startswith("certificate of the local authority for b.test, localhost, a.test; to trust it: sudo cp ")
    assert f"'{certificate}' /usr/local/share/ca-certificates/pwb.crt" in line


def test_the_local_authority_certifies_local_names_only(data: Path) -> None:
    key = make_local(["bank.example", "localhost", "10.1.2.3", "8.8.8.8", "x.internal", "fd00::1", "mytest"], [])
    names = leaf(key).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "x.internal"]
    assert names.get_values_for_type(x509.IPAddress) == list(map(ipaddress.ip_address, ("10.1.2.3", "fd00::1")))
    with pytest.raises(
        CertificateError, match=r"--tls-name bank\.example: the local authority may certify names of local"
    ):
        make_local(["localhost"], ["bank.example"])
    with pytest.raises(CertificateError, match=r"may certify none of 8\.8\.8\.8"):
        make_local(["8.8.8.8"], [])


def test_clients_refuse_what_a_stolen_key_of_the_authority_certifies(data: Path) -> None:
    """Its certificate has name constraints (RFC 5280 4.2.1.10)."""
    make_local(["localhost"], [])
    from pwb_async.tls import local_authority
    from pwb_async.tls.certified_key import certify

    issued = local_authority.open_authority().issue(["bank.example"])
    forged = certify(issued.certificate, issued.key, "forged")
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        shake(TLSContexts([forged]), "bank.example", trusting(Path(local_authority.certificate_path())))


def test_a_key_of_the_authority_that_others_may_read(data: Path) -> None:
    make_local(["localhost"], [])
    key = data / "pwb" / "authority" / "authority.key"
    key.chmod(0o640)
    with pytest.raises(CertificateError, match=r"authority\.key: it must be yours alone; chmod 600"):
        make_local(["localhost"], [])


def test_a_folder_with_half_an_authority_is_not_overwritten(data: Path) -> None:
    make_local(["localhost"], [])
    certificate, key = (data / "pwb" / "authority" / name for name in ("authority.pem", "authority.key"))
    key.unlink()
    content = certificate.read_bytes()
    with pytest.raises(CertificateError, match=r"authority\.key: No such file"):
        make_local(["localhost"], [])
    assert certificate.read_bytes() == content


def test_servers_that_start_at_once_have_the_same_authority(data: Path) -> None:
    script = "from pwb_async.tls.local_authority import *; open_authority(); print(open(certificate_path()).read())"
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."})
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=60)[0] for process in processes}) == 1
    assert os.listdir(data / "pwb") == ["authority"]


def test_a_data_folder_that_cannot_be_written(data: Path) -> None:
    data.write_text("a file")
    with pytest.raises(CertificateError, match=r"my data.*: "):
        make_local(["localhost"], [])


@pytest.mark.parametrize("make", [lambda: make_self_signed(["a.test"]), lambda: make_local(["localhost"], [])])
def test_a_line_if_the_package_is_missing(make: object, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    for name in ("pwb_async.tls.issuing", "pwb_async.tls.local_authority"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(
        CertificateError, match="the package cryptography, which makes certificates, cannot be imported"
    ):
        make()  # type: ignore[operator]


def test_names_of_hosts() -> None:
    assert names_of(["127.0.0.1"]) == ("localhost", "127.0.0.1")
    assert names_of(["localhost", "127.0.0.1", "::1"]) == ("localhost", "127.0.0.1", "::1")
    assert names_of(["b\u00fccher.test", "a.test"]) == ("a.test",)
    assert names_of(["192.0.2.7", "fe80::1%eth0"]) == ("192.0.2.7", "fe80::1")
    assert {"localhost", "127.0.0.1", "::1", os.uname().nodename} <= set(names_of(["0.0.0.0"])) == set(names_of(["::"]))
