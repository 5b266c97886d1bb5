"""`pwb explain` as a process: what it prints, and each mistake as one line. That it is true is tests/conformance's."""

import gzip
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pwb_async.explain import commands
from tests.conformance.coded import LONG_AGO, SCRIPT, write
from tests.conformance.rows.access import BOB, USERS
from tests.conformance.server import REPOSITORY, environment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with a site."""
    site = tmp_path / "site"
    write(site / "index.html", b"<title>hello</title>")
    write(site / "app.js", SCRIPT)
    write(site / "app.js.gz", gzip.compress(SCRIPT))
    write(site / "app.js.br", b"old", LONG_AGO - 100)
    write(site / "about.html", b"about")
    write(
        site / "_redirects", b"/old/* /new/:splat 301\n/forced /there 302!\n/app.js /there 301\n/show /about.html 200\n"
    )
    write(site / "_headers", b"/*\n  X-A: 1\n\n/app.js\n  Cache-Control: max-age=60\n  ! X-A\n")
    (site / "sub").mkdir()
    (site / "out").symlink_to("/etc/hostname")
    os.mkfifo(site / "fifo")
    return tmp_path


class Done(NamedTuple):
    status: int
    output: str
    errors: str


Run = Callable[..., Done]


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in this process."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("PWB_")]:
        monkeypatch.delenv(name)

    def run_words(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["pwb", "explain", *words])
        with pytest.raises(SystemExit) as done:
            commands.main()
        return Done(int(done.value.code or 0), *capfd.readouterr())

    return run_words


def explained(run: Run, *words: str) -> Any:
    """What --json prints."""
    done = run("--json", *words)
    assert done.status == 0, done.errors
    return json.loads(done.output)


def steps(run: Run, *words: str) -> dict[str, str]:
    """The result of each step, and its details in lines below it."""
    found = {}
    for step in explained(run, *words)["steps"]:
        details = [f"\n{each['verdict']}: {each['subject']}: {each['reason']}" for each in step["details"]]
        found[step["name"]] = step["result"] + "".join(details)
    return found


def test_it_prints_the_steps_and_the_head_with_its_origins(run: Run) -> None:
    done = run("/app.js", "site", "-H", "Accept-Encoding: br, gzip")
    assert done.status == 0
    text = done.output
    assert text.startswith(
        """\
GET /app.js HTTP/1.1  from 127.0.0.1

site        site
guard       passes, since no option and no rule refuses anything
rule        site/_redirects line 3: /app.js /there 301
          - /there  what is found wins over a redirect that is not forced
candidates  app.js
          + app.js  is a file of"""
    )
    for line in (
        "coding      gzip, of the file beside it",
        "          - app.js.br  is older than app.js, so it may have the content of another version",
        "            zstd       is not accepted",
        "caching     max-age=60: site/_headers line 4",
        "HTTP/1.1 200 OK",
        "without X-A, which site/_headers line 4 removes",
    ):
        assert line in text.splitlines(), text
    assert re.search(r"(?m)^Cache-Control: max-age=60 +site/_headers line 4$", text)
    assert re.search(r"(?m)^Content-Encoding: gzip +the coding$", text)
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("words", "step", "expected"),
    [
        (
            ["/old/x"],
            "rule",
            "site/_redirects line 1: /old/* /new/:splat 301\nchosen: /new/x: is where it redirects to",
        ),
        (["/forced"], "rule", "chosen: /there: is where it redirects to, before the disk is asked"),
        (["/show"], "rule", "chosen: about.html: is sent in place of the path, with 200"),
        (["/show"], "candidates", "chosen: about.html (site/_redirects line 4): is a file of 5 bytes"),
        (["/"], "candidates", "chosen: index.html (--index): is a file of 20 bytes"),
        (["/sub"], "candidates", "a directory\nchosen: sub: is a directory, whose address ends in a slash"),
        (
            ["/sub/"],
            "candidates",
            "chosen: sub/: is a directory without an index, which is not listed without --browse",
        ),
        (["/sub/", "--browse"], "candidates", "is a directory without an index, which is listed (--browse)"),
        (["/sub/?download=zip", "--browse", "--zip-downloads"], "candidates", "which is sent as an archive"),
        (["/%FF"], "candidates", "lost: \\xff: does not exist"),
        (["/out"], "candidates", "lost: out: a symbolic link leads out of the directory that is served"),
        (["/fifo"], "candidates", "lost: fifo: is neither a file nor a directory"),
        (["/.env"], "candidates", "none: this path is never served"),
        (["/about", "--clean-urls"], "candidates", "chosen: about.html (--clean-urls): is a file of 5 bytes"),
        (["/about.html", "--clean-urls"], "candidates", "about.html, which has another address"),
        (["/x", "--spa", "-H", "Accept: text/html"], "candidates", "chosen: index.html (--spa): is a file"),
        (["/x", "--spa"], "candidates", "not asked: the page of --spa: is for navigations"),
        (["/x"], "error page", "PWB's own\nlost: 404.html: does not exist"),
        (["/x", "--no-error-pages"], "error page", "PWB's own, with --no-error-pages"),
        (["/x", "-H", "Accept: application/json"], "error page", "PWB's own, as JSON, which Accept prefers"),
        (["/app.js"], "coding", "none: the request has no Accept-Encoding"),
        (["/app.js", "-H", "Accept-Encoding: x"], "coding", "none: Accept-Encoding names none that PWB has"),
        (
            ["/app.js", "-H", "Accept-Encoding: br", "--no-precompressed"],
            "coding",
            "br 5, compressed for this request: ",
        ),
        (["/about.html", "-H", "Accept-Encoding: br"], "coding", "none: 5 bytes, and less than 256 are not worth"),
        (["/app.js", "--no-compress", "--no-precompressed"], "coding", "none: --no-precompressed and --no-compress"),
        (["/app.js", "-H", "If-None-Match: *"], "conditions", "If-None-Match: not modified"),
        (["/app.js", "-H", "If-Match: x"], "conditions", "If-Match: a precondition fails"),
        (["/app.js", "-H", "Range: bytes=0-1"], "conditions", "Range: the range that Range asks for"),
        (["/app.js", "-H", "Range: x"], "conditions", "Range: the whole file, as Range does not apply"),
        (["/", "-X", "POST"], "response", "POST is not allowed: a static site has GET, HEAD and OPTIONS"),
        (["/", "-X", "OPTIONS"], "response", "OPTIONS is answered with the methods that there are"),
        (["/", "--maintenance"], "maintenance", "every response is 503 (--maintenance)"),
        (
            ["/", "--deny", "127.0.0.1"],
            "guard",
            "refuses it with 403; nothing else is asked\nlost: --htpasswd, --allow",
        ),
        (["/", "--deny", "127.0.0.1", "--from", "::1"], "guard", "passes\nchosen: "),
        (["/", "--allowed-host", "a.example"], "guard", "lost: --allowed-host a.example: does not name 127.0.0.1: 403"),
        (
            ["http://A.example/", "--allowed-host", "a.example"],
            "guard",
            "chosen: --allowed-host a.example: names a.example",
        ),
    ],
)
def test_a_step(run: Run, words: list[str], step: str, expected: str) -> None:
    assert expected in steps(run, *words[:1], "site", *words[1:])[step]


def test_a_password_is_verified(folder: Path, run: Run) -> None:
    (folder / "users").write_text(USERS)
    words = ["/", "site", "--htpasswd", "users"]
    assert (
        "lost: --htpasswd, --allow and --deny for all paths: needs a password of users" in steps(run, *words)["guard"]
    )
    assert "users has the user" in steps(run, *words, "-H", BOB)["guard"]
    wrong = steps(run, *words, "-H", BOB[:-6] + "AAAA==")["guard"]
    assert "the credentials are not those of a user in users: 401" in wrong


def test_what_a_rewrite_leads_to_may_be_refused(folder: Path, run: Run) -> None:
    (folder / "users").write_text(USERS)
    (folder / "pwb.toml").write_text(
        '[[access]]\nfor = "/private/*"\nhtpasswd = "users"\n\n[[rewrites]]\nfrom = "/shown"\nto = "/private/a.txt"\n'
    )
    write(folder / "site/private/a.txt", b"secret")
    found = steps(run, "/shown", "site")
    assert found["guard"] == (
        "refuses what was looked up with 401\n"
        "lost: pwb.toml line 1 for /private/*: needs a password of users, and there is no Authorization: 401"
    )
    assert "lost: private/a.txt: is not sent to this client" in found["rule"]
    assert found["candidates"].startswith("401, whatever is found\n")
    assert found["error page"] == "PWB's own"
    assert steps(run, "/shown", "site", "-H", BOB)["candidates"].startswith("private/a.txt\n")


def test_a_page_of_a_condition_is_no_error_page(run: Run) -> None:
    found = steps(run, "/app.js", "site", "-H", "Range: bytes=999999-")
    assert found["conditions"] == "Range: Range asks for bytes that are not there"
    assert "error page" not in found


def test_it_opens_no_port_and_makes_no_certificate(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    words = ["/", "site", "--tls-local", "--redirect-https", "1", "--port", "1", "--security-headers", "strict"]
    fields = explained(run, *words)["fields"]
    assert "Strict-Transport-Security" in [each["name"] for each in fields]
    assert not (folder / "data").exists()


def test_sites_mounts_and_the_configuration_in_this_folder(folder: Path, run: Run) -> None:
    write(folder / "other/f", b"other")
    (folder / "pwb.toml").write_text(
        """
root = "site"
mount = ["/docs/=other"]
trusted_proxy = ["127.0.0.1"]

[[sites]]
hosts = ["a.example"]
root = "other"

[[headers]]
for = "/docs/*"
set = { X-Docs = "1" }
"""
    )
    found = explained(run, "/docs/f", "-H", "X-Forwarded-For: 192.0.2.7")
    assert found["client"] == "192.0.2.7"
    assert found["steps"][0]["result"] == "site, /docs/=other, the default one, as no other is for the host 127.0.0.1"
    assert {"name": "X-Docs", "value": "1", "origin": "pwb.toml line 10"} in found["fields"]
    assert steps(run, "http://a.example:81/f")["site"] == "other, as it is for a.example"
    assert steps(run, "/f", "--strict-hosts")["response"] == "no site is for this host"


def test_limits_are_explained_and_nothing_is_counted(folder: Path, run: Run) -> None:
    (folder / "pwb.toml").write_text(
        'root = "site"\nmax-request-rate = "1/h"\nmax-total-send-rate = "9M"\nlimit-exempt = ["10.0.0.0/8"]\n[[limits]]\nfor = "/x/*"\n'
        'max-request-rate = "2/m"\nrequest-burst = 5\nmax-send-rate = "1M"\nmax-total-send-rate = "2M"\nlimit-dry-run = true\n'
        '[[limits]]\nfor = "/y"\nmax-request-rate = "off"\nmax-total-send-rate = 0\n'
    )
    for _ in range(3):
        _, out, _ = run("/x/a")
        assert "limits      pwb.toml line 5 for /x/*\n" in out
        assert "+ 2/m requests of a client, 5 at once  beyond that they are only counted\n" in out
        assert "+ 1048576 bytes a second               on a connection\n" in out
        assert "+ 2097152 bytes a second               of all such responses together\n" in out
        assert "+ 9437184 bytes a second               of all responses together\n" in out
    assert steps(run, "/z")["limits"].startswith(
        "--max-request-rate, --max-total-send-rate\nchosen: 1/h requests of a client"
    )
    assert (
        steps(run, "/z", "--from", "10.0.0.1")["limits"]
        == "10.0.0.1 is exempt (--max-request-rate, --max-total-send-rate)"
    )
    (folder / "pwb.toml").write_text('root = "site"\n[[limits]]\nfor = "/x/*"\nmax-send-rate = "1M"\n')
    assert steps(run, "/z")["limits"] == "none is about this path"


def test_a_directory_of_that_name_is_served_by_another_path(folder: Path, run: Run) -> None:
    """`pwb explain` is the command, wherever it runs; the directory is ./explain."""
    (folder / "explain").mkdir()
    assert run("/", "./explain").status == 0
    command = [sys.executable, "-m", "pwb_async", "explain"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment(), timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (2, "pwb explain: TARGET is missing: pwb explain TARGET [ROOT]\n")


def test_help_has_its_own_options_alone(run: Run) -> None:
    done = run("--help")
    assert done.status == 0
    assert "--from" in done.output
    assert "--max-age" not in done.output


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["x", "site"], "TARGET: 'x' does not begin with a slash, as /a.txt does, or with http://"),
        (["http://[", "site"], "TARGET: 'http://[' is no URL: Invalid IPv6 URL"),
        (
            ["/", "nowhere"],
            "cannot serve nowhere: No such file or directory",
        ),
        (["/", "site", "more"], "Got unexpected extra argument (more)"),
        (["/", "site", "-H", "x"], "-H: 'x' is no field such as 'Accept-Encoding: br'"),
        (["/", "site", "-H", ": x"], "-H: ': x' is no field such as 'Accept-Encoding: br'"),
        (["/", "site", "-H", "a b: x"], "the request is malformed: invalid field line"),
        (["/", "site", "-H", "a: x\ry"], "the request is malformed: a line break within a line"),
        (["/", "site", "-H", "Host: a b"], "the request is malformed: Host is invalid or repeated"),
        (["/", "site", "-H", "Transfer-Encoding: chunked"], "the request is not complete"),
        (["/%", "site", "-X", "G@T"], "the request is malformed: invalid request line"),
        (["/", "site", "--from", "here"], "--from: 'here' is no address such as 192.0.2.1 or 2001:db8::1"),
        (["/", "site", "--max-age", "x"], "--max-age: 'x' is "),
        (["/", "site", "--nonsense"], "--nonsense: no such option"),
    ],
)
def test_a_mistake_is_one_line(run: Run, words: list[str], line: str) -> None:
    """How the line begins; the rest may be that of a server."""
    done = run(*words)
    assert (done.status, done.output) == (2, "")
    assert done.errors.splitlines()[-1].startswith(f"pwb explain: {line}"), done.errors


def test_a_mistake_in_a_file_of_rules_is_one_line(folder: Path, run: Run) -> None:
    write(folder / "site/_redirects", b"/a\n")
    done = run("/", "site")
    assert done.status == 2
    assert done.errors.startswith("pwb explain: site/_redirects line 1: ")
    assert len(done.errors.splitlines()) == 1


def output_on_a_terminal(folder: Path, environ: dict[str, str]) -> str:
    """What the command prints where standard output is a terminal."""
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal, open(theirs, "wb") as output:
        command = [sys.executable, "-m", "pwb_async", "explain", "/", "site"]
        subprocess.run(command, stdout=output, cwd=folder, env=environment() | environ, timeout=60, check=True)
        return b"".join(_available(terminal)).decode()


def _available(terminal: Any) -> Iterator[bytes]:
    os.set_blocking(terminal.fileno(), False)
    while piece := terminal.read(65536):
        yield piece


def test_colours_are_for_terminals_and_for_those_who_want_them(folder: Path) -> None:
    coloured = output_on_a_terminal(folder, {"TERM": "xterm"})
    assert "\x1b[1mHTTP/1.1 200 OK\x1b[0m" in coloured
    plain = output_on_a_terminal(folder, {"TERM": "xterm", "NO_COLOR": "1"})
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[\d+m", "", coloured).split()[:6] == plain.split()[:6]


def test_a_closed_output_leaves_the_warnings_about_rules_alone(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with closing(os.fdopen(writer, "wb")) as output:
        done = subprocess.run(
            [sys.executable, "-m", "pwb_async", "explain", "/", "site"],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "pwb explain: site/_redirects line 3: the file /app.js wins over it, unless it is forced",
    ]


def test_the_configuration_file_is_not_served_c7(folder: Path, run: Run) -> None:
    (folder / "site/pwb.toml").touch()
    reason = "pwb.toml  is the configuration file, or a coded form of it, which is never served"
    assert reason in run("/pwb.toml", "site", "--config", "site/pwb.toml").output


def test_an_exchange_of_target_and_root_is_a_line(run: Run, folder: Path) -> None:
    site = str(folder / "site")
    assert f"TARGET stands in front of ROOT, pwb explain / {site}" in run(site, "/").errors
    assert "TARGET" not in run("/", site).errors


@pytest.mark.parametrize("options", [("--live-reload",), ("--profile", "dev")])
def test_that_live_reload_is_left_out_is_a_line(run: Run, options: tuple[str, ...]) -> None:
    line = "pwb explain: this is the response without --live-reload, which adds a script to pages and changes their caching"
    assert line in run("/", "site", *options).errors
    assert "live" not in run("/", "site").errors


def test_it_is_listed_as_a_command() -> None:
    assert (REPOSITORY / "pwb_async/explain/commands.py").exists()
    done = subprocess.run(
        [sys.executable, "-m", "pwb_async", "--help"], capture_output=True, text=True, env=environment(), check=True
    )
    assert re.search(r"(?m)^  explain +print how a request would be answered, and why$", done.stdout)
