"""The table of designs in both READMEs is right, and every page names existing files."""

import re
import tomllib
from pathlib import Path

import pytest

from pwb_async.config.modes import MODES
from pwb_async.config.options import Options

HERE = Path(__file__).parents[2]
LIMITS = dict.fromkeys(MODES, 60) | {"epoll": 220, "epoll-thread": 90}
"""The maximum number of lines of a design, so that a student can read it at one go."""


def lines(file: str) -> int:
    return len((HERE / "pwb_legacy" / file).read_text().splitlines())


def table(readme: str) -> list[tuple[str, str, int]]:
    """The rows of the table of designs: mode, file, and number in the book."""
    rows = re.findall(
        r"^\| `([\w-]+)` \| `(\w+)\.py` \| 9\.[\d.]+, PWB(\d) \|", (HERE / readme).read_text(), re.MULTILINE
    )
    return [(mode, file, int(number)) for mode, file, number in rows]


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_table_names_every_design_and_its_file_in_the_book_s_order(readme: str) -> None:
    designs = [(mode, about.module) for mode, about in MODES.items()]
    assert table(readme) == [(*names, number) for number, names in enumerate(designs, 1)]


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_stays_short(readme: str) -> None:
    assert len((HERE / readme).read_text().splitlines()) <= 150


@pytest.mark.parametrize("mode", LIMITS)
def test_a_design_is_short(mode: str) -> None:
    assert lines(MODES[mode].module + ".py") < LIMITS[mode]


def test_the_site_opens_from_anywhere() -> None:
    """No configuration is needed: the front page is the book's baidu.html by its usual name."""
    assert [name for name in Options().index if (HERE / "static" / name).is_file()] == ["index.html"]
    assert (HERE / "static/index.html").readlink() == Path("baidu.html")
    assert "pwb" not in tomllib.loads((HERE / "pyproject.toml").read_text())["tool"]


PICTURES = sorted(path.name for path in (HERE / "docs/pictures").iterdir())


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_on_a_page(picture: str) -> None:
    pages = (*HERE.glob("*.md"), *HERE.glob("docs/*.md"))
    assert any(f"pictures/{picture}" in page.read_text() for page in pages)


CHINESE = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
CHINESE_PAGES = sorted(
    path.relative_to(HERE).as_posix()
    for pattern in ("*.zh-CN.md", "docs/*.zh-CN.md", "static/**/*.html", "pwb_legacy/**/*.html")
    for path in HERE.glob(pattern)
)


@pytest.mark.parametrize("page", CHINESE_PAGES)
def test_no_line_break_between_two_chinese_characters(page: str) -> None:
    """A browser would show a gap there, but not in a block of code."""
    text = (HERE / page).read_text()
    if page.endswith(".md"):
        text = re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)
    assert not re.findall(rf".*{CHINESE}[ \t]*\n[ \t]*{CHINESE}.*", text)


PAGES = sorted(path.relative_to(HERE).as_posix() for path in (*HERE.glob("*.md"), *HERE.glob("docs/*.md")))


@pytest.mark.parametrize("page", PAGES)
def test_files_and_links_of_a_page_exist(page: str) -> None:
    """Paths from the top of the repository in code spans, where * stands for anything, and relative links."""
    text = (HERE / page).read_text()
    for pattern in re.findall(r"`((?:pwb_async|pwb_legacy|tests|docs|static)/[^\s`]+)`", text):
        assert list(HERE.glob(pattern)), pattern
    links = re.findall(r"\]\((?![a-z]+:|#)([^)#]+)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    for link in links:
        assert ((HERE / page).parent / link).exists(), link
