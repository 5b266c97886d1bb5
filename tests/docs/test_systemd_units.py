"""docs/pwb.service and docs/pwb.socket: systemd accepts them, and they allow what PWB's options need."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
UNITS = ("pwb.service", "pwb.socket")
pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")


def analyze(*arguments: str) -> str:
    ran = subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True, timeout=30)
    complaints = [
        line for line in ran.stderr.splitlines() if not line.startswith("# Not showing unlisted system calls")
    ]
    assert (ran.returncode, complaints) == (0, [])
    return ran.stdout


def lines_of(unit: str, setting: str) -> list[str]:
    return re.findall(rf"^{setting}=(.*)$", (DOCS / unit).read_text(), re.MULTILINE)


def with_every_suggestion(text: str) -> str:
    """The unit with its commented-out settings enabled."""
    return re.sub(r"^#([A-Z]\w+=)", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("suggested", [False, True])
def test_systemd_accepts_them(tmp_path: Path, suggested: bool) -> None:
    for unit in UNITS:
        text = (DOCS / unit).read_text().replace("/usr/local/bin/pwb", sys.executable)
        (tmp_path / unit).write_text(with_every_suggestion(text) if suggested else text)
    analyze("verify", "--man=no", *(str(tmp_path / unit) for unit in UNITS))


def allowed_calls() -> set[str]:
    """The system calls that the service's filter leaves, its lines in their order (systemd.exec(5))."""
    groups: dict[str, set[str]] = {}
    for line in analyze("syscall-filter").splitlines():
        if line.startswith("@"):
            group = groups.setdefault(line.strip(), set())
        elif line.startswith("    ") and not line.strip().startswith("#"):
            group.add(line.strip())

    def expand(word: str) -> set[str]:
        return set().union(*map(expand, groups[word])) if word in groups else {word}

    allowed = expand("@default")
    for line in lines_of("pwb.service", "SystemCallFilter"):
        calls = set().union(*map(expand, line.removeprefix("~").split()))
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def test_the_filter_allows_what_the_options_need() -> None:
    allowed = allowed_calls()
    assert {"chown", "fchownat", "fchmodat", "bind", "listen"} <= allowed, "--unix, --unix-mode, --unix-group"
    assert {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= allowed, "--sandbox"
    assert {"openat2", "sendfile", "preadv2", "epoll_pwait", "accept4", "clone", "kill"} <= allowed
    assert allowed.isdisjoint({"setuid", "mount", "chroot", "reboot", "bpf", "ptrace"})


def test_a_group_that_the_service_names_is_one_that_it_may_join() -> None:
    """DynamicUser is a member of no group but its own, and only members may give a file to a group."""
    text = with_every_suggestion((DOCS / "pwb.service").read_text())
    groups = set(re.findall(r"--unix-mode 660 --unix-group (\S+)", text))
    assert groups
    assert groups <= set(re.findall(r"^SupplementaryGroups=(\S+)$", text, re.MULTILINE))
