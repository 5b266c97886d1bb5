"""docs/deploy.md: the files that it names are accepted by the programs that they are for."""

import json
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pwb_async.config.loader import read_options
from pwb_async.config.options import Options

from .examples import ROOT, named_block

NAME = "docs/deploy.md"
PAGE = (ROOT / NAME).read_text()
DROP_INS = re.findall(r"^    # (pwb\.service\.d/\w+\.conf)$", PAGE, re.MULTILINE)
CONTAINERFILE = (ROOT / "docs/Containerfile").read_text()
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of the Containerfile with this name."""
    return re.findall(rf"^{name} (.*)$", CONTAINERFILE, re.MULTILINE)


def analyze(*words: str) -> str:
    """The output of systemd-analyze, which must find nothing wrong."""
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def service(folder: Path, drop_in: str = "") -> str:
    """A folder's pwb.service, with a drop-in of the page behind it."""
    text = (ROOT / "docs/pwb.service").read_text() + (named_block(NAME, drop_in) if drop_in else "")
    path = folder / "pwb.service"
    path.write_text(re.sub(r"^ExecStart=/\S+", f"ExecStart={sys.executable}", text, flags=re.MULTILINE))
    return str(path)


@needs_systemd
@pytest.mark.parametrize("drop_in", DROP_INS)
def test_systemd_accepts_a_drop_in(drop_in: str, tmp_path: Path) -> None:
    analyze("verify", "--man=no", service(tmp_path, drop_in))


@needs_systemd
@pytest.mark.parametrize(("drop_in", "exposure"), [("", 20), ("pwb.service.d/socket.conf", 10)])
def test_the_service_is_little_exposed(drop_in: str, exposure: int, tmp_path: Path) -> None:
    """In tenths, of at most 100. What is left is the network, and the right to bind port 80."""
    analyze("security", "--offline=true", f"--threshold={exposure}", service(tmp_path, drop_in))


@pytest.mark.parametrize("drop_in", DROP_INS)
def test_pwb_accepts_the_command_of_a_drop_in(drop_in: str, tmp_path: Path) -> None:
    *_, command = re.findall(r"^ExecStart=(.*)$", named_block(NAME, drop_in), re.MULTILINE)
    options = read_options("pwb", shlex.split(command)[1:], {}, str(tmp_path))
    assert options.root == "/srv/www"
    assert options.sandbox


def test_launchd_gets_a_property_list(tmp_path: Path) -> None:
    job = plistlib.loads((ROOT / "docs/pwb.plist").read_bytes())
    program, *words = job["ProgramArguments"]
    assert Path(program).is_absolute()
    assert Path(program).name == "pwb-legacy"
    options = read_options("pwb-legacy", words, {}, str(tmp_path))
    assert (options.mode, options.port) == ("thread", 8080)
    assert job["ExitTimeOut"] > Options().grace_period
    assert f"/Library/LaunchDaemons/{job['Label']}.plist" in PAGE


def test_the_container_is_not_root_and_gets_signals(tmp_path: Path) -> None:
    assert instructions("USER") == ["65532:65532"]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    ((program,), words) = (json.loads(instructions(name)[0]) for name in ("ENTRYPOINT", "CMD"))
    options = read_options("pwb", words, {}, str(tmp_path))
    assert (options.root, options.host, str(options.port)) == ("/srv/www", "0.0.0.0", *instructions("EXPOSE"))
    assert program == "/opt/pwb/bin/pwb"


def test_the_container_gets_all_that_a_build_needs() -> None:
    copied = {word for line in instructions("COPY") for word in line.split()[:-1] if not word.startswith("-")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"}
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed |= {*wheel["packages"], *wheel["shared-data"]}
    assert needed <= copied
    assert all((ROOT / name).exists() for name in copied - {"/opt/pwb"})
