"""Which changes of files count, and what a page has to do about them."""

from pathlib import Path

import pytest

from pwb_async.config.mount_points import mount_point
from pwb_async.config.options import Options, SiteOptions
from pwb_async.live_reload.changes import ADDED, DELETED, MODIFIED, ChangeFilter


def written(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return str(path)


@pytest.mark.parametrize(
    "name",
    [
        *("index.html~", "#index.html#", ".#index.html", ".index.html.swp", "4913", "index.html___jb_tmp___"),
        *("index.html.tmp", "x.part", ".git/HEAD", "sub/.env", "node_modules/x/y.js", "a/__pycache__/b.pyc"),
        *("_headers", "_redirects", ".DS_Store"),
    ],
)
@pytest.mark.parametrize("dotfiles", [False, True])
def test_what_is_not_served_or_temporary_does_not_count(tmp_path: Path, name: str, dotfiles: bool) -> None:
    changes = ChangeFilter(Options(root=str(tmp_path), dotfiles=dotfiles, live_reload=True))
    assert changes.accepts(MODIFIED, str(tmp_path / name)) == (dotfiles and name == "sub/.env")


def test_what_is_served_counts(tmp_path: Path) -> None:
    changes = ChangeFilter(Options(root=str(tmp_path), live_reload=True))
    for name in ("index.html", "a/b/c.css", ".well-known/x", "a b/ä.png", "v1.2/notes.txt", "sub/_headers"):
        assert changes.accepts(ADDED, str(tmp_path / name)), name
    assert changes.accepts(ADDED, str(tmp_path))
    assert not changes.accepts(ADDED, str(tmp_path) + "-other/a.html")
    assert not changes.accepts(ADDED, str(tmp_path.parent / "a.html"))


@pytest.mark.parametrize(
    ("glob", "ignored", "kept"),
    [
        ("*.map", ["a.map", "js/a.map"], ["a.mapx", "map/a"]),
        ("drafts", ["drafts", "drafts/a.html", "sub/drafts/a.html"], ["drafts.html"]),
        ("drafts/", ["drafts/a.html", "sub/drafts/a.html"], ["drafts.html"]),
        ("/drafts", ["drafts/a.html", "drafts/deep/a.html"], ["sub/drafts/a.html"]),
        ("sub/*.txt", ["sub/a.txt", "sub/deep/a.txt"], ["a.txt", "other/sub/a.txt"]),
    ],
)
def test_globs_to_ignore(tmp_path: Path, glob: str, ignored: list[str], kept: list[str]) -> None:
    changes = ChangeFilter(Options(root=str(tmp_path), live_reload=True, live_reload_ignore=("*.none", glob)))
    for name in ignored:
        assert not changes.accepts(MODIFIED, str(tmp_path / name)), name
    for name in kept:
        assert changes.accepts(MODIFIED, str(tmp_path / name)), name


def test_what_pwb_writes_or_reads_as_its_configuration_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = str(tmp_path / "pwb.toml")
    changes = ChangeFilter(
        Options(root=".", access_log="access.log", trace="trace.json", live_reload=True, config_file=config)
    )
    assert not changes.accepts(MODIFIED, config)
    assert not changes.accepts(MODIFIED, str(tmp_path / "access.log"))
    assert not changes.accepts(MODIFIED, str(tmp_path / "trace.json"))
    assert changes.accepts(MODIFIED, str(tmp_path / "sub" / "access.log"))


def test_compressed_neighbours_do_not_count(tmp_path: Path) -> None:
    changes = ChangeFilter(Options(root=str(tmp_path), live_reload=True))
    for ending in (".br", ".gz", ".zst"):
        assert changes.accepts(MODIFIED, str(tmp_path / "a.css") + ending), "it is a download of its own"
    written(tmp_path / "a.css")
    for ending in (".br", ".gz", ".zst"):
        assert not changes.accepts(MODIFIED, str(tmp_path / "a.css") + ending)


def test_style_sheets_and_images_are_swapped(tmp_path: Path) -> None:
    changes = ChangeFilter(Options(root=str(tmp_path), live_reload=True))
    sheet, image = written(tmp_path / "css/a b.css"), written(tmp_path / "ä.PNG")
    assert changes.swaps({(MODIFIED, sheet)}) == ["/css/a b.css"]
    assert changes.swaps({(ADDED, sheet), (DELETED, sheet), (MODIFIED, image)}) == ["/css/a b.css", "/ä.PNG"]


def test_anything_else_reloads(tmp_path: Path) -> None:
    changes = ChangeFilter(Options(root=str(tmp_path), live_reload=True))
    sheet, page = written(tmp_path / "a.css"), written(tmp_path / "a.html")
    assert changes.swaps({(MODIFIED, sheet), (MODIFIED, page)}) == []
    assert changes.swaps({(DELETED, str(tmp_path / "gone.css"))}) == []
    assert changes.swaps({(MODIFIED, sheet), (ADDED, str(tmp_path))}) == [], "a directory that is new"


def test_temporary_files_and_directories_are_no_reason_to_reload(tmp_path: Path) -> None:
    """As an atomic save leaves them: a file of any name, which becomes the other one."""
    changes = ChangeFilter(Options(root=str(tmp_path), live_reload=True))
    sheet, temporary = written(tmp_path / "a.css"), str(tmp_path / "a.css.12345")
    save = {(ADDED, temporary), (DELETED, temporary), (ADDED, sheet), (MODIFIED, str(tmp_path))}
    assert changes.swaps(save) == ["/a.css"]
    assert changes.swaps({(ADDED, temporary)}) is None
    assert changes.swaps({(MODIFIED, str(tmp_path))}) is None


def test_many_style_sheets_reload(tmp_path: Path) -> None:
    changes = ChangeFilter(Options(root=str(tmp_path), live_reload=True))
    sheets = {(MODIFIED, written(tmp_path / f"{number}.css")) for number in range(51)}
    assert changes.swaps(sheets) == []


def test_paths_are_those_of_the_site(tmp_path: Path) -> None:
    root, mounted, other = tmp_path / "root", tmp_path / "root/build", tmp_path / "other"
    site = SiteOptions((b"b.example",), Options(root=str(other), live_reload=True))
    options = Options(
        root=str(root), prefix="/docs/", mount=(mount_point(f"/api/={mounted}"),), sites=(site,), live_reload=True
    )
    changes = ChangeFilter(options)
    assert changes.directories == [str(mounted), str(root), str(other)]
    assert changes.swaps({(MODIFIED, written(root / "a.css"))}) == ["/docs/a.css"]
    assert changes.swaps({(MODIFIED, written(mounted / "a.css"))}) == ["/api/a.css", "/docs/build/a.css"]
    assert changes.swaps({(MODIFIED, written(other / "a.css"))}) == ["/a.css"]
