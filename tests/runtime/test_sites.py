"""When the files of rules and of users are read again, and what becomes of what was read."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pwb_async.config.loader import read_options
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.opening import open_context
from pwb_async.runtime.rule_files import RuleFiles
from tests.access.test_htpasswd import ARGON2

CONFIG = """
port = 0
access-log = "off"
htpasswd = "users"
[[sites]]
hosts = ["other"]
root = "other"
"""


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerContext]:
    """A server of the folder `root`, and of `other` for a host."""
    monkeypatch.chdir(tmp_path)
    for name in ("root", "other"):
        Path(name).mkdir()
    Path("users").write_text(f"bob:{ARGON2}\n")
    Path("pwb.toml").write_text(CONFIG)
    context = open_context("pwb", read_options("pwb", ["root"], {}, tmp_path))
    yield context
    context.close()


def places(context: ServerContext | None) -> list[str]:
    assert context is not None
    return [rule.place for rules in context.rules for rule in rules.redirects]


def test_they_are_read_once_a_second(context: ServerContext) -> None:
    assert context.rules_are_due(0.0)
    assert context.reload_rules(10.0) is None
    assert not context.rules_are_due(10.9)
    assert context.rules_are_due(11.0)


def test_rules_that_no_caller_has_waited_for_are_not_lost(context: ServerContext) -> None:
    """A caller gives up after --disk-timeout; the thread that reads does not."""
    Path("root/_redirects").write_text("/a /b 301")
    context.reload_rules(1.0)
    for now in (2.0, 3.0):
        assert places(context.reload_rules(now)) == ["root/_redirects line 1"]
    new = context.reload_rules(4.0)
    assert new is not None
    assert new.reload_rules(5.0) is None


def test_a_fault_in_one_site_loses_no_rules_of_another(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("root/_redirects").write_text("/a /b 301")
    Path("other/_redirects").write_text("/c /d 301")
    reload = RuleFiles.reload

    def fail(files: RuleFiles, *, log: bool = True) -> bool:
        if files._folders[0].shown == "other":
            raise ValueError
        return reload(files, log=log)

    monkeypatch.setattr(RuleFiles, "reload", fail)
    with pytest.raises(ValueError, match=r"^$"):
        context.reload_rules(1.0)
    monkeypatch.undo()
    assert places(context.reload_rules(2.0)) == ["root/_redirects line 1", "other/_redirects line 1"]


def test_each_change_is_announced(context: ServerContext) -> None:
    """Of rules or of users, of any site, and once for all that has changed."""
    changes: list[None] = []
    context.sites.on_change = lambda: changes.append(None)
    for step, (path, text, count) in enumerate(
        (
            ("root/_redirects", "/a /b 301", 1),
            ("other/_redirects", "/a /b 301", 2),
            ("other/_redirects", "wrong", 2),
            ("users", f"bobby:{ARGON2}\n", 3),
            ("users", "wrong", 3),
        )
    ):
        Path(path).write_text(text)
        context.reload_rules(float(step))
        assert len(changes) == count, path


def test_one_thread_reads_at_a_time(context: ServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("root/_redirects").write_text("/a /b 301")
    reading, go_on = threading.Event(), threading.Event()
    reload = RuleFiles.reload

    def wait(files: RuleFiles, *, log: bool = True) -> bool:
        reading.set()
        assert go_on.wait(10)
        return reload(files, log=log)

    monkeypatch.setattr(RuleFiles, "reload", wait)
    results: list[ServerContext | None] = []
    thread = threading.Thread(target=lambda: results.append(context.reload_rules(1.0)))
    thread.start()
    assert reading.wait(10)
    assert context.reload_rules(100.0) is None, "it does not wait"
    go_on.set()
    thread.join()
    assert places(results[0]) == ["root/_redirects line 1"]
