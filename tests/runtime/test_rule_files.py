"""The files of rules in the root: read at the start and again, whatever becomes of them and of the disk."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pwb_async.config.options import ConfigError
from pwb_async.config.rules import Rules
from pwb_async.core.site.findings import FORBIDDEN, Finding, OpenFile, StorageError, Unavailable
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.redirect_rules import RedirectRules
from pwb_async.runtime.rule_files import RuleFiles, RuleFolder
from pwb_async.storage.disk import Disk
from pwb_async.storage.examiner import SMALL
from tests.core.site.rule_requests import request_of


class Switchable:
    """A disk, or instead of it what a test sets."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.instead: Finding | None = None
        self.calls = 0

    def find(self, lookup: Lookup) -> Finding:
        self.calls += 1
        return self.instead or self.disk.find(lookup)

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        raise AssertionError


@pytest.fixture
def storage(tmp_path: Path) -> Switchable:
    return Switchable(Disk(tmp_path))


@pytest.fixture
def files(storage: Switchable) -> RuleFiles:
    return RuleFiles(storage, [RuleFolder(storage, "site")], Rules())


def places(files: RuleFiles) -> list[str]:
    return [rule.place for rule in (*files.rules.headers, *files.rules.redirects)]


def test_they_are_read_again(files: RuleFiles, tmp_path: Path) -> None:
    files.load()
    assert places(files) == []
    assert not files.reload()
    (tmp_path / "_redirects").write_text("/a /b 301")
    assert files.reload()
    assert places(files) == ["site/_redirects line 1"]
    assert not files.reload()
    (tmp_path / "_redirects").unlink()
    (tmp_path / "_headers").write_text("/a\nX-A: 1")
    assert files.reload()
    assert places(files) == ["site/_headers line 1"]


def test_without_names_nothing_is_read(storage: Switchable, tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_text("wrong")
    files = RuleFiles(storage, [RuleFolder(storage, "site")], Rules(), names=())
    files.load()
    assert files.rules == Rules()
    assert not files.reload()
    assert storage.calls == 0


def test_a_file_that_is_not_read_whole_at_once(files: RuleFiles, tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_text("/a /b 301\n" + "#" * 79 + "\n" + ("#" * 79 + "\n") * (SMALL // 80 + 1))
    files.load()
    assert places(files) == ["site/_redirects line 1"]
    (tmp_path / "_redirects").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match=r"site/_redirects: it has more than 1048576 bytes\."):
        files.load()


def test_what_is_no_file_has_no_rules(files: RuleFiles, tmp_path: Path) -> None:
    (tmp_path / "_redirects").mkdir()
    (tmp_path.parent / f"{tmp_path.name}-outside").write_text("/a /b 301")
    (tmp_path / "_headers").symlink_to(f"../{tmp_path.name}-outside")
    files.load()
    assert places(files) == []


def test_a_mistake_is_logged_once_for_each_version(
    files: RuleFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    files.load()
    (tmp_path / "_redirects").write_text("/a b 301")
    assert [files.reload() for _ in range(3)] == [False] * 3
    (tmp_path / "_redirects").write_text("/ab b 301")
    assert not files.reload()
    assert len([line for line in caplog.messages if line.startswith("the rules stay as they were: ")]) == 1
    (tmp_path / "_redirects").write_text("/a /b 999")
    assert [files.reload(log=False) for _ in range(2)] == [False] * 2
    assert len(caplog.messages) == 1
    (tmp_path / "_redirects").write_text("/a /b 301")
    assert files.reload()
    assert places(files) == ["site/_redirects line 1"]
    assert caplog.messages[1:] == ["rules read again from site"]


@pytest.mark.parametrize(
    ("finding", "reason"),
    [(FORBIDDEN, "permission denied"), (StorageError("EIO"), "EIO"), (Unavailable("EMFILE"), "EMFILE")],
)
def test_a_file_that_cannot_be_read(
    files: RuleFiles, storage: Switchable, finding: Finding, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    files.load()
    storage.instead = finding
    assert [files.reload() for _ in range(2)] == [False] * 2
    expected = f"the rules stay as they were: site/_headers: cannot be read: {reason}."
    passes = isinstance(finding, Unavailable)
    assert caplog.messages == ([] if passes else [expected]), "what is expected to pass is tried again in silence"
    storage.instead = None
    assert not files.reload()
    storage.instead = finding
    with pytest.raises(ConfigError, match=reason):
        files.load()


def test_warnings_about_all_rules_are_bounded(
    storage: Switchable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(30):
        (tmp_path / f"f{number}").write_bytes(b"x" * (SMALL + 1 if number == 0 else 1))
    (tmp_path / "_redirects").write_text("".join(f"/f{number} /x 301\n" for number in range(30)) + "/f1 /x 301!\n/d /x")
    RuleFiles(storage, [RuleFolder(storage, "site")], Rules(warnings=("pwb.toml line 1: x",))).load()
    assert len(caplog.messages) == 21
    assert caplog.messages[:3] == [
        "pwb.toml line 1: x",
        "site/_redirects line 32: it has no status; PWB sends 302, as Cloudflare does, and Netlify 301",
        "site/_redirects line 2: it is never reached, see site/_redirects line 31",
    ]
    assert caplog.messages[3] == "site/_redirects line 1: the file /f0 wins over it, unless it is forced"
    assert caplog.messages[-1] == "13 more warnings about rules"


def test_rewrites_to_files_that_do_not_exist(
    storage: Switchable, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("a.html", "folder/start.html", ".hidden"):
        (tmp_path / name).write_text("x")
    lines = ("/1 /a.html 200", "/2 /no.html 200", "/3 /folder 200", "/4 /folder/ 200!", "/5 /empty 200", "/6 / 200")
    lines += ("/7 /.hidden 200", "/8/:x /no/:x 200", "/9 /no.html 404")
    (tmp_path / "_redirects").write_text("\n".join(lines))
    RuleFiles(storage, [RuleFolder(storage, "site")], Rules(), indexes=(b"index.html", b"start.html")).load()
    assert caplog.messages == [
        f"site/_redirects line {line}: there is no file {path}"
        for line, path in ((2, "/no.html"), (5, "/empty"), (6, "/"), (7, "/.hidden"))
    ]
    caplog.clear()
    storage.instead = Unavailable("EMFILE")
    files = RuleFiles(storage, [RuleFolder(Switchable(storage.disk), "site")], Rules(), dotfiles=True)
    files.load()
    assert caplog.messages == [], "it is not certain"


@pytest.mark.parametrize(
    "form",
    ["/p{0}/{2} /p{1}/{2} 301", "/p{0}/* /p{1}/:splat 301", "/:a/{0}/* /:a/{1}/:splat 301", "/*{0}/{2} /b/:splat 301"],
)
def test_a_megabyte_of_rules(form: str, files: RuleFiles, tmp_path: Path) -> None:
    """Exact ones in a chain, with wildcards, and those that no dict finds: read, and matched, in bounded time."""
    lines = "\n".join(form.format(number, number + 1, "x" * 40) for number in range(10_000))
    text = f"{lines}\n#".ljust((1 << 20) - 80, "\n")
    (tmp_path / "_redirects").write_text(text)
    began = time.process_time()
    files.load()
    loaded = time.process_time() - began
    rules = RedirectRules(files.rules.redirects)
    request = request_of("/a" * 16)
    began = time.process_time()
    for _ in range(20):
        rules.otherwise(request)
    assert loaded < 10
    assert (time.process_time() - began) / 20 < 0.05
