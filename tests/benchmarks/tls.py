"""What the works over TLS need: a certificate, the context of the client that checks, and a load without resumption."""

import functools
import re
import ssl
import subprocess
from pathlib import Path

from .verify import UnableError


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 with an ECDSA key on P-256, and the key; made in this folder if it has none."""
    paths = folder / "tls.pem", folder / "tls.key"
    if not paths[1].exists():
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
        words += ["-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        subprocess.run(
            [*words, "-out", str(paths[0]), "-keyout", str(paths[1])], check=True, capture_output=True, timeout=20
        )
        paths[1].chmod(0o600)
    return paths


@functools.cache
def client_context() -> ssl.SSLContext:
    """A context that trusts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ab(url: str, connections: int, seconds: int) -> list[str]:
    """The command of a load with a full handshake for each request; wrk resumes sessions."""
    return ["ab", "-q", "-f", "TLS1.3", "-c", str(connections), "-t", str(seconds), "-n", "100000000", url]


def read_ab(output: str) -> dict[str, object]:
    """What replay.lua reports of wrk, from the output of ab. Its times are in whole milliseconds."""

    def number(pattern: str) -> float:
        found = re.search(pattern, output)
        if found is None:
            raise UnableError(f"ab failed: {' '.join(output.split())[-200:]}")
        return float(found[1])

    return {
        "requests": number(r"Complete requests:\s+(\d+)"),
        "bytes": number(r"Total transferred:\s+(\d+)"),
        "microseconds": number(r"Time taken for tests:\s+([\d.]+)") * 1e6,
        "p50_us": number(r"\s50%\s+(\d+)") * 1000,
        "p99_us": number(r"\s99%\s+(\d+)") * 1000,
        "errors": {"failed": int(number(r"Failed requests:\s+(\d+)"))},
    }
