"""The context for a name, the profile of all of them, and sessions."""

import os
import ssl
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pwb_async.tls.certified_key import CertifiedKey, certify
from pwb_async.tls.contexts import TLSContexts, ignore_garbled_names

from .certificates import Pair, make, rsa_key
from .handshake import client_context, hello, shake


def certified(*pairs: Pair) -> list[CertifiedKey]:
    return [certify(pair.certificate_pem, pair.key_pem(), "test.pem") for pair in pairs]


@pytest.fixture(scope="module")
def contexts() -> TLSContexts:
    return TLSContexts(certified(make("a.test", "www.a.test"), make("*.b.test"), make("x.b.test")))


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ("a.test", "a.test"),
        ("WWW.a.test", "a.test"),
        ("one.b.test", "*.b.test"),
        ("x.b.test", "*.b.test"),  # the certificate that is named first
        ("two.one.b.test", "a.test"),  # a wildcard stands for one label
        ("b.test", "a.test"),
        ("other.test", "a.test"),
        (None, "a.test"),
    ],
)
def test_the_name_chooses_the_certificate(contexts: TLSContexts, asked: str | None, got: str) -> None:
    assert shake(contexts, asked).names[0] == got


def test_a_wildcard_gives_way_to_a_name_before_it() -> None:
    contexts = TLSContexts(certified(make("x.b.test"), make("*.b.test")))
    assert shake(contexts, "x.b.test").names == ["x.b.test"]
    assert shake(contexts, "y.b.test").names == ["*.b.test"]


@pytest.mark.parametrize("first", ["ecdsa", "rsa"])
def test_ecdsa_beside_rsa(first: str) -> None:
    keys = certified(make("a.test"), make("a.test", key=rsa_key()))
    contexts = TLSContexts(keys if first == "ecdsa" else keys[::-1])
    for cipher in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"):
        client = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
        client.set_ciphers(cipher)
        assert shake(contexts, "a.test", client).cipher == cipher
    assert shake(contexts).certificate.signature_algorithm_oid.dotted_string == "1.2.840.10045.4.3.2"


def test_each_name_has_the_keys_of_all_types_that_cover_it() -> None:
    both = TLSContexts(certified(make("a.test", "b.test"), make("*.test", key=rsa_key()), make("other.example")))
    client = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
    client.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    assert shake(both, "a.test").names == ["a.test", "b.test"]
    assert shake(both, "b.test", client).names == ["*.test"]
    assert shake(both, "c.test").names == ["*.test"]


def test_the_profile(contexts: TLSContexts) -> None:
    assert shake(contexts).version == "TLSv1.3"
    old = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
    assert shake(contexts, client=old).version == "TLSv1.2"
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        shake(contexts, client=old)
    weak = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    with pytest.raises(ssl.SSLError):
        shake(contexts, client=weak)


def test_the_client_chooses_the_cipher(contexts: TLSContexts) -> None:
    client = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
    client.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256")
    assert shake(contexts, client=client).cipher == "ECDHE-ECDSA-CHACHA20-POLY1305"


def test_the_protocols() -> None:
    contexts = TLSContexts(certified(make("a.test"), make("b.test")), ("h2", "http/1.1"))
    client = client_context()
    client.set_alpn_protocols(["http/1.1", "h2"])
    assert shake(contexts, "b.test", client).alpn == "h2"
    assert shake(contexts).alpn is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_by_another_worker_and_not_after_a_reload(version: ssl.TLSVersion) -> None:
    keys = certified(make("a.test"))
    contexts, client = TLSContexts(keys), client_context(maximum_version=version)
    first = shake(contexts, "a.test", client)
    assert not first.resumed
    assert _in_a_child(lambda: shake(contexts, "a.test", client, first.session).resumed)
    assert not shake(TLSContexts(keys), "a.test", client, first.session).resumed


def test_a_session_without_a_ticket_takes_two_kibibytes_at_most() -> None:
    """OpenSSL remembers 20,480 of them, and Python has no call that changes this number."""
    context = TLSContexts(certified(make("a.test"))).context()
    client = client_context(maximum_version=ssl.TLSVersion.TLSv1_2)
    client.options |= ssl.OP_NO_TICKET
    used = []
    for _ in range(2):
        for _ in range(1000):
            _shake_and_close(context, client)
        used.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    assert context.session_stats()["number"] == 2000
    assert used[1] - used[0] < 2048 * 1000


def _shake_and_close(context: ssl.SSLContext, client: ssl.SSLContext) -> None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_end = context.wrap_bio(up, down, server_side=True)
    client_end = client.wrap_bio(down, up)
    for _ in range(3):
        for end in (client_end, server_end):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    with suppress(ssl.SSLWantReadError):
        server_end.unwrap()


def _in_a_child(check: object) -> bool:
    """Whether a function returns a true value in a process that is forked now."""
    assert callable(check)
    pid = os.fork()
    if not pid:
        status = 1
        try:
            status = 0 if check() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_no_file_of_a_key_is_left_open(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    TLSContexts(certified(make("a.test")))
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize(
    "garbage", [b"\xff" * 13, b"\0" * 13, b"." * 13, b"\n" * 13, b"*" * 13, b"\xc3\xbc" * 6 + b"."]
)
def test_a_garbled_name_is_no_traceback(garbage: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would be a dozen lines on standard error, which a pipe may not take."""
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)
    ignore_garbled_names()
    contexts = TLSContexts(certified(make("a.test"), make("b.test")))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(hello("aaaaaaaa.test").replace(b"aaaaaaaa.test", garbage))
    server = contexts.context().wrap_bio(incoming, outgoing, server_side=True)
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        assert outgoing.read(1) == b"\x16"  # the handshake goes on
    except ssl.SSLError:
        assert outgoing.read(1) == b"\x15"  # an alert
    assert not reported


def test_other_errors_are_still_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)
    ignore_garbled_names()
    ignore_garbled_names()

    class Faulty:
        def __init__(self, fault: Exception) -> None:
            self.fault = fault

        def __del__(self) -> None:
            raise self.fault

    class FaultyBytes(bytes):
        def __del__(self) -> None:
            self.decode("ascii")

    del (faulty := [Faulty(ValueError("fault")), FaultyBytes(b"\xff")])[:]
    assert not faulty
    assert len(reported) == 2


def test_contexts_change_nothing_of_the_process() -> None:
    """They may be those of a library in a program that has a hook of its own."""
    before = sys.unraisablehook
    TLSContexts(certified(make("a.test"), make("b.test")))
    assert sys.unraisablehook is before
