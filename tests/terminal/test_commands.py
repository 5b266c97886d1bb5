"""pwb config, completion and man: what they print."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from pwb_async.config.loader import read_options
from pwb_async.config.options import DECLARATIONS, Options
from pwb_async.config.profiles import PROFILES
from tests.conformance.server import environment

SET = [
    ("--port", "3000", "--max-age", "1h", "--no-compress", "--workers", "auto", "--cache", "off", "--charset", "off"),
    ("--index", "a.html", "--index", "b.html", "--type", "*.a=text/html; charset=x", "--header", 'X-A: b"c'),
    ("--mount", "/docs/=build/html", "--delay-disk", "*.bin=20ms~5ms", "--idle-timeout", "1.5", "--cache", "10M"),
    ("--profile", "share", "--no-browse", "--no-zip-downloads"),
    ("d\u00e9j\u00e0 \u4e2d", "--unix", 's"o\\ck', "--unix-mode", "660", "--grace-period", "0", "--min-send-rate", "0"),
]


def run(folder: Path, *words: str, **variables: str) -> str:
    command = [sys.executable, "-m", "pwb_async", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, cwd=folder, env=environment() | variables, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.mark.parametrize("argv", [(), *SET], ids=str)
def test_the_output_of_config_is_a_file_that_sets_the_same(argv: tuple[str, ...], tmp_path: Path) -> None:
    text = run(tmp_path, "config", *argv)
    tomllib.loads(text)
    (tmp_path / "pwb.toml").write_text(text, "utf-8")
    again = read_options("pwb", [], {}, tmp_path)
    (tmp_path / "pwb.toml").unlink()
    assert again == read_options("pwb", argv, {}, tmp_path)


def test_each_option_is_there_once_with_its_origin(tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text("max_age = 60\nport = 1\n")
    text = run(tmp_path, "config", "--profile", "dev", "--host", "::1", PWB_PORT="2", PORT="3")
    lines = dict(re.findall(r"^(?:# )?([a-z0-9-]+)(?: =| is not set).*?(?<!^)# (.*)$", text, re.MULTILINE))
    expected = [option.flag[2:] for option in DECLARATIONS.values() if option.belongs_to("pwb")]
    assert list(lines) == expected
    assert lines["max-age"] == "pwb.toml: max_age"
    assert lines["port"] == "environment variable PWB_PORT"
    assert lines["host"] == "--host"
    assert lines["browse"] == "--profile dev"
    assert lines["root"] == "default"


def test_only_what_is_set(tmp_path: Path) -> None:
    text = run(tmp_path, "config", "--only-set", PORT="3000")
    assert text == "# Where it listens\nport = 3000  # environment variable PORT\n\n"


TABLES = """
max_age = 60
[[access]]
for = "/x/*"
allow = ["10.0.0.0/8"]
[[redirects]]
from = "/a"
to = "/b"
status = 301
force = true
query = { "a b" = "'c\\"" }
[[rewrites]]
from = "/c"
to = "/d"
[[headers]]
for = "/*"
set = { X-A = "b", X-C = ["d", "e"] }
unset = ["X-Powered-By"]
[[headers]]
for = "/y"
set = { X-A = "f" }
[[sites]]
hosts = ["a.example"]
root = "a"
max-age = 5
browse = true
[[sites.access]]
for = "/"
deny = ["192.0.2.1"]
[[sites]]
hosts = ["b.example"]
root = "b"
"""
"""Rules and sites, which stand in a TOML file alone."""


@pytest.mark.parametrize("name", ["pwb.toml", "pyproject.toml"])
def test_rules_and_sites_are_copied(name: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    file = tmp_path / name
    in_project = re.sub(r"^(\[+)", r"\1tool.pwb.", TABLES, flags=re.MULTILINE)
    file.write_text(TABLES if name == "pwb.toml" else f"[tool.pwb]{in_project}", "utf-8")
    before = read_options("pwb", [], {}, tmp_path)
    text = run(tmp_path, "config", "--only-set")
    file.unlink()
    tables = tomllib.loads(TABLES)
    assert tomllib.loads(text) == {"max-age": 60} | {key: tables[key] for key in tables if key != "max_age"}
    (tmp_path / "pwb.toml").write_text(text, "utf-8")
    again = read_options("pwb", [], {}, tmp_path)
    for rules in (before.rules, again.rules):
        assert (len(rules.access), len(rules.redirects), len(rules.headers)) == (1, 2, 2)
    assert [site.hosts for site in again.sites] == [site.hosts for site in before.sites] != []


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_names_options_and_is_overridden(name: str, tmp_path: Path) -> None:
    profile = PROFILES[name]
    assert set(profile) <= {option.name for option in DECLARATIONS.values() if option.belongs_to("pwb")}
    options = read_options("pwb", ["--profile", name], {}, tmp_path)
    assert {key: getattr(options, key) for key in profile} == dict(profile)
    assert read_options("pwb", [], {"PWB_PROFILE": name, "PWB_WORKERS": "3"}, tmp_path).workers == 3
    (tmp_path / "pwb.toml").write_text(
        f'profile = "{name}"\nport_fallback = {str(not profile["port_fallback"]).lower()}\n'
    )
    assert read_options("pwb", [], {}, tmp_path).port_fallback != profile["port_fallback"]


def test_a_profile_that_is_in_part_switched_off_is_no_mistake(tmp_path: Path) -> None:
    options = read_options("pwb", ["--profile", "share", "--no-browse"], {}, tmp_path)
    assert (options.browse, options.host) == (False, "0.0.0.0")


def test_a_profile_is_nothing_to_the_other_program(tmp_path: Path) -> None:
    assert read_options("pwb-legacy", [], {"PWB_PROFILE": "share"}, tmp_path) == Options(profile="share")


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> "jsonschema.Draft7Validator":
    made = json.loads(run(tmp_path_factory.mktemp("schema"), "config", "--schema"))
    jsonschema.Draft7Validator.check_schema(made)
    return jsonschema.Draft7Validator(made)


@pytest.mark.parametrize("argv", [(), *SET], ids=str)
def test_the_schema_accepts_what_config_prints(
    argv: tuple[str, ...], schema: "jsonschema.Draft7Validator", tmp_path: Path
) -> None:
    schema.validate(tomllib.loads(run(tmp_path, "config", *argv)))


ACCEPTED = (
    "max_age = 60\nmax-head = '32KiB'\nidle_timeout = 0.5\nworkers = 'auto'",
    "[[headers]]\nfor = '/*'\nset = {X-A = 'b', X-C = ['d', 'e']}\nunset = ['X-Powered-By']",
    "[[redirects]]\nfrom = '/a'\nto = '/b'\nstatus = 301\nforce = true\nquery = {a = 'b'}",
    "[[rewrites]]\nfrom = '/a'\nto = '/b'",
    "[[access]]\nfor = '/x/*'\nallow = ['10.0.0.0/8']",
    "[[sites]]\nhosts = ['a.example']\nroot = 'a'\nbrowse = true\n[[sites.headers]]\nfor = '/*'\nset = {X-A = 'b'}",
)
REFUSED = (
    "prot = 80",
    "port = 65536",
    "port = 'http'",
    "browse = 'maybe'",
    "max_head = '32 KB'",
    "idle_timeout = 0",
    "log_format = 'xml'",
    "index = 'index.html'",
    "[[redirects]]\nfrom = '/a'",
    "[[redirects]]\nfrom = '/a'\nto = '/b'\nstatus = 200",
    "[[sites]]\nroot = 'a'",
    "[[sites]]\nhosts = ['a.example']\nroot = 'a'\nport = 80",
)


@pytest.mark.parametrize("text", ACCEPTED)
def test_the_schema_and_the_reader_accept(text: str, schema: "jsonschema.Draft7Validator", tmp_path: Path) -> None:
    schema.validate(tomllib.loads(text))
    (tmp_path / "pwb.toml").write_text(text, "utf-8")
    read_options("pwb", [], {}, tmp_path)


@pytest.mark.parametrize("text", REFUSED)
def test_the_schema_and_the_reader_refuse(text: str, schema: "jsonschema.Draft7Validator", tmp_path: Path) -> None:
    assert not schema.is_valid(tomllib.loads(text))
    (tmp_path / "pwb.toml").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"pwb\.toml"):
        read_options("pwb", [], {}, tmp_path)


def test_the_manual_page_on_the_disk_is_current(tmp_path: Path) -> None:
    """If it is not: pwb man > docs/pwb.1"""
    page = run(tmp_path, "man")
    assert (Path(__file__).parents[2] / "docs/pwb.1").read_text() == page
    for option in DECLARATIONS.values():
        if option.belongs_to("pwb") and not option.positional:
            assert option.flag.replace("-", r"\-") in page


def test_the_manual_page_has_no_mistakes(tmp_path: Path) -> None:
    if shutil.which("groff") is None:
        pytest.skip("no groff here")
    page = run(tmp_path, "man")
    command = ["groff", "-man", "-ww", "-Tutf8", "-z"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def complete(folder: Path, *words: str) -> list[str]:
    """What a bash completes the last of these words to."""
    variables = {"_PWB_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    return [line.partition(",")[2] for line in run(folder, **variables).splitlines()]


def test_completion(tmp_path: Path) -> None:
    assert complete(tmp_path, "pwb", "--port") == ["--port", "--port-fallback"]
    assert complete(tmp_path, "pwb", "site", "--log-format", "") == ["combined", "json", "pretty"]
    assert "explain" in complete(tmp_path, "pwb", "e")
    assert "--only-set" in complete(tmp_path, "pwb", "config", "--")
    assert "--prune" in complete(tmp_path, "pwb", "compress", "--p")
    assert complete(tmp_path, "pwb", "completion", "b") == ["bash"]


COMPLETED = [
    ("pwb conf", "config"),
    ("pwb site --port-f", "--port-fallback"),
    ("pwb --profile=d", "dev"),
    ("pwb --profile=", "dev share production"),
    ("pwb si", "site"),
    ("pwb compress si", "site"),
    ("pwb --config own", "own.toml"),
]
"""What is typed in front of the Tab key, and what a bash may put in place of its last word."""


@pytest.mark.parametrize(("typed", "expected"), COMPLETED)
def test_a_bash_completes(typed: str, expected: str, tmp_path: Path) -> None:
    """Directories are the shell's own: it adds them to what the function returns."""
    if not (bash := shutil.which("bash")):
        pytest.skip("no bash here")
    (tmp_path / "site").mkdir()
    (tmp_path / "own.toml").touch()
    words = [word for word in re.split(r" |(=)", typed) if word]  # as bash splits at COMP_WORDBREAKS
    words += [""] if typed.endswith(" ") else []
    last = "" if words[-1] == "=" else words[-1]
    script = f"""
        pwb() {{ :; }}; compopt() {{ [[ $2 == plusdirs ]] && dirs=1; [[ $2 == default ]] && files=1; }}
        {run(tmp_path, "completion", "bash")}
        COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}
        _pwb_completion "$PROGRAM"
        printf '%s\\n' "${{COMPREPLY[@]}}"
        [[ $dirs ]] && compgen -d -- {shlex.quote(last)}
        [[ $files ]] && compgen -f -- {shlex.quote(last)}
        true
    """
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pwb_async "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        [bash, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env=environment() | {"PROGRAM": str(program)},
        check=True,
    )
    assert done.stdout.split() == expected.split()


@pytest.mark.parametrize("command", ["config", "completion bash", "man", "explain /", "--help"])
def test_a_reader_that_ends_early_is_no_news(command: str, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "pwb_async", *command.split()]
    with open(writer, "wb") as stdout:
        done = subprocess.run(
            words, stdout=stdout, stderr=subprocess.PIPE, timeout=60, cwd=tmp_path, env=environment(), check=False
        )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell(shell: str, tmp_path: Path) -> None:
    text = run(tmp_path, "completion", shell)
    assert "_PWB_COMPLETE" in text
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True, timeout=30, env=dict(os.environ))


def test_the_help_has_every_option_under_a_heading(tmp_path: Path) -> None:
    text = run(tmp_path, "--help")
    assert text.index("Examples:") < text.index("Commands") < text.index("What is served:")
    for option in DECLARATIONS.values():
        if option.belongs_to("pwb") and not option.positional:
            assert f"  {option.flag}" in text
