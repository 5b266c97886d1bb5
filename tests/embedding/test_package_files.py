"""Roots that importlib.resources names: the files of an installed package."""

import importlib.resources
import sys
import zipfile
from pathlib import Path

import pytest

import pwb_async
from pwb_async.config.package_files import directory_of

from .resources import fetch


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which Python looks for packages."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def make_package(folder: Path, name: str, *, regular: bool = True) -> Path:
    site = folder / name / "site"
    site.mkdir(parents=True)
    (site / "a.txt").write_text(name)
    if regular:
        (folder / name / "__init__.py").touch()
    return site


def test_the_files_of_a_package(packages: Path) -> None:
    make_package(packages, "pwb_regular")
    with pwb_async.running(importlib.resources.files("pwb_regular") / "site") as server:
        assert fetch(server.port) == b"pwb_regular"


def test_a_package_without_init(packages: Path) -> None:
    """Such as a folder of files beneath a package: importlib.resources returns an object that is no path."""
    site = make_package(packages, "pwb_namespace", regular=False)
    root = importlib.resources.files("pwb_namespace.site")
    assert not isinstance(root, Path)
    assert directory_of(root) == str(site)
    with pwb_async.running(root) as server:
        assert fetch(server.port) == b"pwb_namespace"


def test_a_package_of_two_directories(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    monkeypatch.syspath_prepend(str(other))
    for folder, name in ((packages, "one.txt"), (other, "two.txt")):
        (folder / "pwb_two").mkdir(parents=True)
        (folder / "pwb_two" / name).touch()
    with pytest.raises(pwb_async.ConfigError, match="is not one directory, but 2; name one in it"):
        pwb_async.Server(importlib.resources.files("pwb_two"))


def test_an_archive_is_a_clear_error(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = packages / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("pwb_zipped/__init__.py", "")
        file.writestr("pwb_zipped/site/a.txt", "text")
    monkeypatch.syspath_prepend(str(archive))
    root = importlib.resources.files("pwb_zipped") / "site"
    with pytest.raises(pwb_async.ConfigError) as caught:
        pwb_async.Server(root)
    assert str(caught.value).startswith(f"argument root: {archive}/pwb_zipped/site")
    assert str(caught.value).endswith(" is in an archive, and only a directory on the disk can be served.")
    sys.path_importer_cache.clear()


@pytest.mark.parametrize("root", [None, 1, b"bytes", ["site"]])
def test_anything_else_is_no_root(root: object) -> None:
    with pytest.raises(pwb_async.ConfigError, match="is not the path of a directory"):
        pwb_async.Server(root)  # type: ignore[arg-type]
