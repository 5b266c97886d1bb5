"""Makes certificates, with the package cryptography; imported only for servers that make their own."""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

PERMITTED_NAMES: Final = ("localhost", "test", "local", "internal", "home.arpa")
"""Domains that exist on no public network (RFC 6761, 6762 and 8375, and ICANN's resolution of 2024 about .internal)."""
PERMITTED_NETWORKS: Final = (
    *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
    *("::1/128", "fe80::/10", "fc00::/7"),
)
"""Networks of one machine, one link or one organization (RFC 1122, 1918, 3927, 4193 and 4291)."""
_CLOCK_SKEW: Final = timedelta(hours=1)
"""How long before now a certificate is valid already, for clients whose clocks are slow."""
_SELF_SIGNED: Final = timedelta(days=365)
_LEAF: Final = timedelta(days=90)
_AUTHORITY: Final = timedelta(days=3650)


class Issued(NamedTuple):
    """A certificate and its key, each in PEM."""

    certificate: bytes
    key: bytes


def issue_self_signed(names: Iterable[str]) -> Issued:
    """A certificate for these names and addresses that is its own issuer."""
    key = _new_key()
    builder = _builder(_name("PWB self-signed"), _name("PWB self-signed"), key.public_key(), _SELF_SIGNED)
    return _sign(_for_server(builder, names), key, key)


def issue_authority(host: str) -> Issued:
    """The certificate of an authority for the names and addresses of local networks, and for the machine `host` itself.

    A stolen key of it is of no use for other names, such as those of banks (RFC 5280 4.2.1.10).
    """
    key = _new_key()
    name = _name(f"PWB local authority of {host}")
    permitted = [x509.DNSName(each) for each in dict.fromkeys((*PERMITTED_NAMES, host))]
    networks = [x509.IPAddress(ipaddress.ip_network(each)) for each in PERMITTED_NETWORKS]
    builder = (
        _builder(name, name, key.public_key(), _AUTHORITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(certificates=True), critical=True)
        .add_extension(x509.NameConstraints([*permitted, *networks], None), critical=True)
    )
    return _sign(builder, key, key)


class Authority:
    """A local authority, which issues certificates for servers."""

    def __init__(self, issued: Issued) -> None:
        self._certificate = x509.load_pem_x509_certificate(issued.certificate)
        key = load_pem_private_key(issued.key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        constraints = self._certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        self._permitted = [name.value for name in constraints.permitted_subtrees or ()]

    def permits(self, name: str) -> bool:
        """Whether it can issue a certificate for a name or an address, which clients would otherwise refuse."""
        address = _address(name)
        if address is not None:
            return any(not isinstance(each, str) and address in each for each in self._permitted)
        return any(isinstance(each, str) and f".{name.lower()}".endswith(f".{each}") for each in self._permitted)

    def issue(self, names: Iterable[str]) -> Issued:
        """A certificate for these names and addresses."""
        key = _new_key()
        builder = _builder(_name("PWB"), self._certificate.subject, key.public_key(), _LEAF)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return _sign(_for_server(builder, names).add_extension(identifier, critical=False), self._key, key)


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lifetime: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _for_server(builder: x509.CertificateBuilder, names: Iterable[str]) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
    )


def _key_usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(
    builder: x509.CertificateBuilder, issuer: ec.EllipticCurvePrivateKey, key: ec.EllipticCurvePrivateKey
) -> Issued:
    return Issued(
        builder.sign(issuer, SHA256()).public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
