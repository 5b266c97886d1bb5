"""What a reload keeps of TLS, and what it makes anew."""

from pathlib import Path

import pytest

from pwb_async.config.options import Options
from pwb_async.runtime.opening import open_context, reload_context

from .certificates import make


def test_a_certificate_made_here_stays_and_the_authorities_of_clients_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, _ = make("first authority", authority=True).write(tmp_path)
    options = Options(root=str(tmp_path), port=0, access_log="off", tls_self_signed=True, tls_client_ca=str(path))
    old = open_context("test", options)
    try:
        make("second authority", authority=True).write(tmp_path)
        new = reload_context(old)
        assert old.tls is not None
        assert new.tls is not None
        assert new.tls.keys == old.tls.keys
        subjects = [dict(each[0] for each in tls.context().get_ca_certs()[0]["subject"]) for tls in (old.tls, new.tls)]  # type: ignore[misc]
        assert [each["commonName"] for each in subjects] == ["first authority", "second authority"]
        assert old.tls.context() is not new.tls.context()
    finally:
        old.close()
