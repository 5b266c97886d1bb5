"""Content-Security-Policy of pages with the script of live reload."""

import pytest

from pwb_async.live_reload.content_policy import admit_script


@pytest.mark.parametrize(
    ("policy", "admitting"),
    [
        ("default-src 'self'", "default-src 'self'"),
        ("default-src *; img-src 'none'", "default-src *; img-src 'none'"),
        ("frame-ancestors 'self'", "frame-ancestors 'self'"),
        ("", ""),
        ("default-src 'none'", "default-src 'none'; script-src 'self'; connect-src 'self'"),
        ("Default-Src 'NONE'; Style-Src 'self'", "default-src 'NONE'; style-src 'self'; script-src 'self'; connect-src 'self'"),
        ("script-src https://cdn.example", "script-src https://cdn.example 'self'"),
        ("script-src 'none'; script-src-elem 'none'", "script-src 'none'; script-src-elem 'self'"),
        ("script-src 'self'; connect-src https://api.example", "script-src 'self'; connect-src https://api.example 'self'"),
        ("script-src 'unsafe-inline'", "script-src 'unsafe-inline' 'self'"),
        ("script-src 'nonce-abc' 'strict-dynamic'", "script-src 'nonce-abc' 'strict-dynamic' 'nonce-N'"),
        ("script-src 'self' 'sha256-x' 'Strict-Dynamic'", "script-src 'self' 'sha256-x' 'Strict-Dynamic' 'nonce-N'"),
        ("default-src 'self'; default-src 'none'", "default-src 'self'; default-src 'none'"),
        ("default-src 'self', script-src 'none'", "default-src 'self', script-src 'self'"),
        ("sandbox allow-scripts; ;script-src a:", "sandbox allow-scripts; script-src a: 'self'"),
    ],
)  # fmt: skip
def test_a_policy_admits_the_script_and_its_connection(policy: str, admitting: str) -> None:
    assert admit_script(policy.encode(), b"N").decode() == admitting


def test_inline_scripts_are_not_forbidden_by_a_nonce() -> None:
    """A nonce would switch 'unsafe-inline' off (CSP3 6.7.3.2)."""
    assert b"nonce" not in admit_script(b"default-src 'unsafe-inline' a:", b"N")
