"""A client of TLS 1.3 that changes its keys, by records that are made here: Python's ssl module has no way to."""

from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_APPLICATION_DATA = 23
_HANDSHAKE = 22
_KEY_UPDATE = b"\x18\0\0\x01\x01"
"""The message by which the peer is asked to change its keys, too (RFC 8446 4.6.3)."""
_LABEL = "CLIENT_TRAFFIC_SECRET_0"


def first_secret(key_log: Path) -> bytes:
    """The secret of the client's first keys on the last connection, from the file that is its context's keylog_filename."""
    lines = key_log.read_text().splitlines()
    return bytes.fromhex([line.split()[2] for line in lines if line.startswith(_LABEL)][-1])


class Records:
    """The records that a client sends after a handshake with TLS_AES_256_GCM_SHA384."""

    def __init__(self, secret: bytes) -> None:
        self._use(secret)

    def _use(self, secret: bytes) -> None:
        self._secret = secret
        self._key, self._iv = AESGCM(_expand(secret, b"key", 32)), _expand(secret, b"iv", 12)
        self._number = 0

    def data(self, content: bytes) -> bytes:
        """A record of application data."""
        return self._record(_APPLICATION_DATA, content)

    def key_update(self) -> bytes:
        """A record with KeyUpdate; what follows has other keys."""
        record = self._record(_HANDSHAKE, _KEY_UPDATE)
        self._use(_expand(self._secret, b"traffic upd", 48))
        return record

    def key_updates(self, count: int) -> Iterator[bytes]:
        return (self.key_update() for _ in range(count))

    def _record(self, kind: int, content: bytes) -> bytes:
        nonce = (int.from_bytes(self._iv, "big") ^ self._number).to_bytes(12, "big")
        self._number += 1
        header = bytes((_APPLICATION_DATA, 3, 3)) + (len(content) + 17).to_bytes(2, "big")
        return header + self._key.encrypt(nonce, content + bytes((kind,)), header)


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 7.1)."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes((len(label),)) + label + b"\0"
    return HKDFExpand(hashes.SHA384(), length, info).derive(secret)
