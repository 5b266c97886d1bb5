"""Every mistake in the tables of these tests ends the program: one line that names the place, and exit status 2."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import pwb_async.__main__
from pwb_async.config.options import DECLARATIONS
from tests.access.test_htpasswd import MISTAKES

from . import test_loader, test_rule_files, test_sites

PLACE = re.compile(
    r"(?:--[a-z_-]+|ROOT|Got unexpected|environment variable PWB_[A-Z_]+|pwb\.toml|max_[a-z_]+ \d+"
    r"|htpasswd: users line \d+|static/_(?:redirects|headers) line \d+|(?:no\.toml|\.): cannot be read)(?!\w)"
)
"""What a line begins with: the option, the variable, or the file, with the line where there are lines."""


class Mistake(NamedTuple):
    """How a program is started."""

    argv: tuple[str, ...] = ()
    environ: tuple[str, str] | None = None
    files: tuple[tuple[str, str], ...] = ()
    """The path of each file and its content."""


def options() -> Iterator[Mistake]:
    yield from (Mistake(tuple(argv)) for argv, _ in test_loader.COMMAND_LINE)
    variables = [(name, text) for name, text, _ in test_loader.ENVIRONMENT]
    variables += [(f"PWB_{name.upper()}", text) for name, text, _ in test_rule_files.OPTIONS]
    for name, text in variables:
        if DECLARATIONS[name.removeprefix("PWB_").lower()].program != "pwb-legacy":
            yield Mistake(environ=(name, text))


def toml() -> Iterator[Mistake]:
    yield from (Mistake(files=(("pwb.toml", text),)) for text, _ in (*test_loader.FILE, *test_rule_files.TABLES))


def sites() -> Iterator[Mistake]:
    yield from (Mistake(tuple(argv), files=(("pwb.toml", text),)) for argv, text, _ in test_sites.SITES)


def redirects() -> Iterator[Mistake]:
    yield from (Mistake(files=(("static/_redirects", line),)) for line, _ in test_rule_files.REDIRECTS)


def headers() -> Iterator[Mistake]:
    yield from (Mistake(files=(("static/_headers", lines),)) for lines, _ in test_rule_files.HEADERS)


def htpasswd() -> Iterator[Mistake]:
    yield from (Mistake(("--htpasswd", "users"), files=(("users", line),)) for line, _ in MISTAKES)


@pytest.mark.parametrize("table", [options, toml, sites, redirects, headers, htpasswd])
def test_a_mistake_is_one_line_and_status_2(
    table: type[Iterator[Mistake]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    mistakes = list(table())
    assert len(mistakes) >= {options: 50, toml: 70, sites: 50, redirects: 30, headers: 15, htpasswd: 15}[table]
    (tmp_path / "static").mkdir()
    for mistake in mistakes:
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", ["pwb", *mistake.argv])
            patch.setattr(pwb_async.__main__, "_serve", lambda context: pytest.fail("it starts"))
            if mistake.environ is not None:
                patch.setenv(*mistake.environ)
            for path, content in mistake.files:
                Path(path).write_text(content, "utf-8", "surrogateescape")
            with pytest.raises(SystemExit) as caught:
                pwb_async.__main__.main()
            for path, _ in mistake.files:
                Path(path).unlink()
        out, err = capfd.readouterr()
        assert (caught.value.code, out, err.count("\n")) == (2, "", 1), (mistake, err)
        assert PLACE.match(err.removeprefix("pwb: ")), (mistake, err)
