"""What a server imports of TLS: nothing without it, and cryptography only to make certificates."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.server import environment

from .certificates import make

SCRIPT = """
import sys
from pwb_async.config.loader import read_options
from pwb_async.runtime.opening import open_context
open_context("pwb", read_options("pwb", ["--port", "0", *sys.argv[1:]], {}, "/")).close()
print(*sys.modules)
"""


@pytest.mark.parametrize(
    ("options", "tls", "cryptography"),
    [
        ((), False, False),
        (("--tls-cert", "site.pem", "--tls-key", "site.key"), True, False),
        (("--tls-self-signed",), True, True),
    ],
)
def test_imports(options: tuple[str, ...], tls: bool, cryptography: bool, tmp_path: Path) -> None:
    make("a.test").write(tmp_path)
    (tmp_path / "static").mkdir()
    words = [sys.executable, "-c", SCRIPT, *options]
    done = subprocess.run(
        words, env=environment(), cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    modules = set(done.stdout.split())
    assert ("ssl" in modules, any(name.startswith("pwb_async.tls") for name in modules)) == (tls, tls)
    assert any(name.startswith("cryptography") for name in modules) == cryptography
