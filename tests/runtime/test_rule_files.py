"""The files of rules in the root: read at the start and again, whatever becomes of them and of the disk."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from pwb_async.config.options import ConfigError
from pwb_async.config.rules import Rules
from pwb_async.core.site.lookup import FORBIDDEN, Finding, Lookup, OpenFile, StorageError, Unavailable
from pwb_async.runtime.rule_files import RuleFiles, RuleFolder
from pwb_async.storage.disk import Disk
from pwb_async.storage.examiner import SMALL


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
    return RuleFiles(storage, [RuleFolder(storage, "site")], Rules(), interval=1.0)


def places(rules: Rules | None) -> list[str]:
    assert rules is not None
    return [rule.place for rule in (*rules.headers, *rules.redirects)]


def test_nothing_is_read_before_the_interval_is_over(files: RuleFiles, storage: Switchable, tmp_path: Path) -> None:
    assert places(files.load()) == []
    assert files.is_due(0.0)
    assert files.reload(10.0) is None
    (tmp_path / "_redirects").write_text("/a /b 301")
    calls = storage.calls
    assert not files.is_due(10.9)
    assert files.reload(10.9) is None
    assert storage.calls == calls
    assert places(files.reload(11.0)) == ["site/_redirects line 1"]
    assert files.reload(12.0) is None
    (tmp_path / "_redirects").unlink()
    (tmp_path / "_headers").write_text("/a\nX-A: 1")
    assert places(files.reload(13.0)) == ["site/_headers line 1"]


def test_without_names_nothing_is_read(storage: Switchable, tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_text("wrong")
    files = RuleFiles(storage, [RuleFolder(storage, "site")], Rules(), names=())
    assert files.load() == Rules()
    assert files.reload(1e9) is None
    assert storage.calls == 0


def test_a_file_that_is_not_read_whole_at_once(files: RuleFiles, tmp_path: Path) -> None:
    (tmp_path / "_redirects").write_text("/a /b 301\n" + "#" * 79 + "\n" + ("#" * 79 + "\n") * (SMALL // 80 + 1))
    assert places(files.load()) == ["site/_redirects line 1"]
    (tmp_path / "_redirects").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match=r"site/_redirects: it has more than 1048576 bytes\."):
        files.load()


def test_what_is_no_file_has_no_rules(files: RuleFiles, tmp_path: Path) -> None:
    (tmp_path / "_redirects").mkdir()
    (tmp_path.parent / f"{tmp_path.name}-outside").write_text("/a /b 301")
    (tmp_path / "_headers").symlink_to(f"../{tmp_path.name}-outside")
    assert places(files.load()) == []


def test_a_mistake_is_logged_once_for_each_version(
    files: RuleFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    files.load()
    (tmp_path / "_redirects").write_text("/a b 301")
    assert [files.reload(now) for now in (1.0, 2.0, 3.0)] == [None] * 3
    (tmp_path / "_redirects").write_text("/ab b 301")
    assert files.reload(4.0) is None
    assert len([line for line in caplog.messages if line.startswith("the rules stay as they were: ")]) == 1
    (tmp_path / "_redirects").write_text("/a /b 999")
    assert [files.reload(now, log=False) for now in (5.0, 6.0)] == [None] * 2
    assert len(caplog.messages) == 1
    (tmp_path / "_redirects").write_text("/a /b 301")
    assert places(files.reload(7.0)) == ["site/_redirects line 1"]
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
    assert [files.reload(now) for now in (1.0, 2.0)] == [None] * 2
    expected = f"the rules stay as they were: site/_headers: cannot be read: {reason}."
    passes = isinstance(finding, Unavailable)
    assert caplog.messages == ([] if passes else [expected]), "what is expected to pass is tried again in silence"
    storage.instead = None
    assert files.reload(3.0) is None
    storage.instead = finding
    with pytest.raises(ConfigError, match=reason):
        files.load()


def test_one_thread_reads_at_a_time(storage: Switchable, tmp_path: Path) -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Slow(Switchable):
        def find(self, lookup: Lookup) -> Finding:
            if self.calls >= 2:
                reading.set()
                assert go_on.wait(10)
            return super().find(lookup)

    slow = Slow(Disk(tmp_path))
    files = RuleFiles(slow, [RuleFolder(slow, "site")], Rules())
    files.load()
    (tmp_path / "_redirects").write_text("/a /b 301")
    results: list[Rules | None] = []
    thread = threading.Thread(target=lambda: results.append(files.reload(1.0)))
    thread.start()
    assert reading.wait(10)
    assert files.reload(100.0) is None
    go_on.set()
    thread.join()
    assert places(results[0]) == ["site/_redirects line 1"]


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
