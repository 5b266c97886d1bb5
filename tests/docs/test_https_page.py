"""docs/https.md: what its examples for other programs promise. tests/interop/test_acme.py runs certbot and lego."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pwb_async.tls.issuing import PERMITTED_NAMES
from tests.docs.examples import ROOT

PAGE = (ROOT / "docs" / "https.md").read_text()
UNIT = re.compile(r"(?:^ {4}.*\n|^\n(?= {4}))+", re.MULTILINE)


def unit(name: str) -> str:
    """The unit of systemd that a comment on its first line names."""
    found = [
        block.replace("\n    ", "\n").strip() for block in UNIT.findall(PAGE) if block.strip().startswith(f"# {name}\n")
    ]
    assert len(found) == 1, name
    return found[0]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    service = re.sub("^ExecStart=/[^ ]+", f"ExecStart={sys.executable}", unit("lego.service"), flags=re.MULTILINE)
    (tmp_path / "lego.service").write_text(service)
    (tmp_path / "lego.timer").write_text(unit("lego.timer"))
    pwb = (ROOT / "docs" / "pwb.service").read_text() + "\n" + unit("pwb.service.d/tls.conf")
    (tmp_path / "pwb.service").write_text(pwb.replace("/usr/local/bin/pwb", sys.executable))
    units = [str(tmp_path / name) for name in ("lego.service", "lego.timer", "pwb.service")]
    verified = subprocess.run(
        ["systemd-analyze", "--no-pager", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_shell_accepts_the_hook() -> None:
    hook = next(block for block in UNIT.findall(PAGE) if block.strip().startswith("#!/bin/sh"))
    checked = subprocess.run(["sh", "-n"], input=hook, capture_output=True, text=True, timeout=30, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_domains_of_the_local_authority_are_named() -> None:
    assert all(f"`.{name}`" in PAGE or f"`{name}`" in PAGE for name in PERMITTED_NAMES)
