"""What a usual start does not import: each of these would add to the time until the first response."""

import subprocess
import sys
from pathlib import Path

from tests.conformance.server import environment

SCRIPT = """
import sys
import pwb_async.__main__ as program
from pwb_async.output.printing import print_line
program._serve = lambda context: print_line(" ".join(sys.modules)) or context.close() or 0
sys.argv = ["pwb", ".", "--port", "0", "--max-age", "60"]
program.main()
"""
SPARED = (
    "aiofiles",
    "brotli",
    "click",
    "cryptography",
    "difflib",
    "gettext",
    "jinja2",
    "json",
    "pwb_async.access",
    "pwb_async.config.command_line",
    "pwb_async.core.http2",
    "pwb_async.core.tls",
    "pwb_async.listing",
    "pwb_async.live_reload",
    "pwb_async.observability.json_format",
    "pwb_async.observability.pretty_format",
    "pwb_async.runtime.landlock",
    "pwb_async.runtime.startup_hints",
    "pwb_async.server.tls",
    "pwb_async.terminal",
    "pwb_async.tls",
    "pwb_async.workers.supervisor",
    "rich",
    "segno",
    "tempfile",
    "tomllib",
    "watchfiles",
    "webbrowser",
)


def test_a_usual_start_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'a'\n")
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, cwd=tmp_path, env=environment(), check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    modules = done.stdout.split()
    assert "pwb_async.server.server" in modules
    assert [name for name in modules if name.startswith(SPARED)] == []
