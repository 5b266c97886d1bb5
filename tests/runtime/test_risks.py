"""What the options about access lead to at the start."""

import pytest

from pwb_async.config.options import Options
from pwb_async.runtime.risks import warn_of_risks


@pytest.mark.parametrize(
    ("options", "warns"),
    [
        (Options(htpasswd="users", host="0.0.0.0"), True),
        (Options(htpasswd="users", host="::"), True),
        (Options(htpasswd="users", host="www.example.com"), True),
        (Options(htpasswd="users"), False),
        (Options(htpasswd="users", host="::1"), False),
        (Options(htpasswd="users", host="localhost"), False),
        (Options(htpasswd="users", host="0.0.0.0", unix="/run/pwb"), False),
        (Options(htpasswd="users", host="0.0.0.0", trusted_proxy=("10.0.0.0/8",)), False),
        (Options(host="0.0.0.0"), False),
    ],
)
def test_passwords_that_can_be_read(options: Options, warns: bool, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_risks(options, secure=False)
    assert ("without TLS" in caplog.text) is warns
