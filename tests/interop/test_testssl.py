"""testssl.sh, which tests a server's TLS from the outside: protocols, ciphers, and the weaknesses of the last twenty years."""

import json
from pathlib import Path

from tests.conformance.designs import REFERENCE
from tests.conformance.server import running
from tests.tls.certificates import make, rsa_key

from .programs import needs, run

WRONG = ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL")
"""Its degrees of what is wrong."""
EXPECTED = {
    "cipher_order": "the client chooses, as Mozilla's profile has it, since it knows what its processor is good at",
    "cert_chain_of_trust": "the test's certificates sign themselves",
    "cert_revocation": "so nothing can revoke them",
}
"""The findings that are allowed, and why."""


@needs("testssl")
async def test_it_finds_nothing_but_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    options: list[str] = []
    for name, pair in (
        ("ecdsa", make("localhost", "127.0.0.1")),
        ("rsa", make("localhost", "127.0.0.1", key=rsa_key())),
    ):
        certificate, key = map(str, pair.write(tmp_path, name))
        options += ["--tls-cert", certificate, "--tls-key", key]
    found = tmp_path / "found.json"
    async with running(REFERENCE, tmp_path, *options, log_dir=tmp_path) as server:
        tests = ("-p", "-s", "-f", "-P", "-S", "-U")  # protocols, ciphers, key exchange, order, defaults, weaknesses
        words = ("--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--jsonfile", str(found), *tests)
        done = await run("testssl", *words, f"127.0.0.1:{server.address[1]}", within=550)
    findings = {each["id"]: each for each in json.loads(found.read_text())}
    for name in ("TLS1_3", "heartbleed", "secure_client_renego", "ticketbleed", "ROBOT", "fallback_SCSV"):
        assert findings[name]["severity"] in ("OK", "INFO"), done.output.decode()
    wrong = {name: each for name, each in findings.items() if each["severity"] in WRONG}
    assert not {name: each for name, each in wrong.items() if name.split(" ")[0] not in EXPECTED}
    assert {name.split(" ")[0] for name in wrong} == EXPECTED.keys()
