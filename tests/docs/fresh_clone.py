"""Types the commands of README.md and docs/install.md, or of the pages that are named, in a fresh clone:
python -m tests.docs.fresh_clone README.md

The clone is of what is committed. The shell has no environment but a home folder with a site; pip needs its index. A
command that serves must print its address, answer there, and end at Ctrl-C; any other one must end by itself. Left out are
the tests, which .ci/run runs by the same line. PWB_PORT=0 makes the default port any free one.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from .examples import COMMANDS, ROOT, Example

PAGES: Final = ("README.md", "docs/install.md")
"""The pages whose commands are typed, in this order."""
TIMEOUT: Final = 300
"""Seconds after which a command is killed."""
SERVING: Final = re.compile(r"listening on |http://127\.0\.0\.1:[0-9]+/\?lang=")
"""The line of a command that serves, once it does."""
ADDRESS: Final = re.compile(r"listening on (http://[0-9.]+:[0-9]+/)")
"""The address in it, unless that is of a Unix socket or of HTTPS."""
STATUS: Final = {".venv/bin/pwb-legacy live": 130}
"""Commands that end with another status than 0: what Ctrl-C ends before it is done."""
QUICK: Final = {
    ".venv/bin/pwb-legacy compare": " --quick",
    ".venv/bin/pwb-legacy compare --sweep": " --quick --modes epoll",
}
"""What is added, so that a command does not take minutes."""


def typed(pages: Sequence[str]) -> list[str]:
    """The commands of the pages without those that run tests, each once."""
    commands = [example for page in pages for example in COMMANDS if example.page == page and not _tests(example)]
    return list(dict.fromkeys(map(_text, commands)))


def _tests(example: Example) -> bool:
    return "pytest" in example.words or ".[test]" in example.words


def _text(example: Example) -> str:
    # The tests listen on the loopback interface alone.
    text = example.text.partition("#")[0].strip().replace("0.0.0.0", "127.0.0.1")
    return text + QUICK.get(text, "")


def run(command: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What is wrong with how a command behaves; "" if nothing is."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec env {command}"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    end = threading.Timer(TIMEOUT, os.killpg, (process.pid, signal.SIGKILL))
    end.start()
    printed, fault = [], ""
    for line in process.stdout:
        printed.append(line)
        if SERVING.search(line):
            if address := ADDRESS.search(line):
                fault = no_answer(address[1].replace("0.0.0.0", "127.0.0.1"))
            os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
    status = process.wait(TIMEOUT)
    end.cancel()
    good = status == STATUS.get(command, 0) and not fault
    return "" if good else f"exit status {status}\n{''.join(printed[-15:])}{fault}"


def no_answer(address: str) -> str:
    """Why a server does not send its front page; "" if it does."""
    try:
        with urllib.request.urlopen(address, timeout=20) as response:
            return "" if response.read() else "an empty front page"
    except OSError as error:
        return str(error)


def main(pages: Sequence[str]) -> int:
    """Runs the commands of the pages, in their order; the exit status."""
    # A shell that starts us in the background ignores SIGINT, and the commands would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        home, clone = Path(name), Path(name) / "clone"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        (home / "site").mkdir()
        (home / "site/index.html").write_text("hello PWB")
        kept = {key: value for key, value in os.environ.items() if key.startswith(("PIP_", "UV_", "LANG", "LC_"))}
        if "PIP_CERT" in kept:
            kept["SSL_CERT_FILE"] = kept["PIP_CERT"]  # as uv calls it
        # pipx and uvx are beside the Python that runs this.
        path = f"/usr/local/bin:/usr/bin:/bin:{os.path.dirname(sys.executable)}"
        environment = {**kept, "HOME": name, "PATH": path, "PWB_PORT": "0"}
        for command in typed(pages):
            fault = run(command, clone, environment)
            print(f"{'FAILED' if fault else 'ok    '} {command}\n{fault}".rstrip(), flush=True)
            faults += bool(fault)
    return faults > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or PAGES))
