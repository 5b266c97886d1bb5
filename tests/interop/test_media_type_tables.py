"""The table of media types beside those of nginx and Debian (IANA's registry and what is common): each difference
from them is intended.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pwb_async.core.site.media_types import _ENDINGS, _rows

NGINX, DEBIAN = Path("/etc/nginx/mime.types"), Path("/etc/mime.types")
SOURCE_CODE = "c cc cpp diff h hpp java patch py rs rst sh sql"
DIFFERENT = {
    **dict.fromkeys(SOURCE_CODE.split(), "a browser shows text/plain, and offers the rest to be saved"),
    "3mf": "what the IANA has of its makers; Debian has the name from before",
    "bmp": "nginx has the name from before RFC 7903",
    "ico": "what browsers, nginx and Apache call it",
    "js": "text/javascript since RFC 9239",
    "m4a": "nginx has the name from before MP4 was registered",
    "m4v": "nginx has the name from before MP4 was registered",
    "mid": "Debian has it for audio/sp-midi as well",
    "mml": "nginx has the name from before MathML was registered",
    "rar": "nginx has the name from before it was registered",
    "rss": "what feed readers and nginx call it",
    "tgz": "the file is gzip, whatever is in it",
    "ts": "video segments; Debian has it for translations of Qt",
    "wav": "what browsers call it",
    "xml": "text/xml is an alias of application/xml, RFC 7303 9.2, and text would be given a charset here",
    "xsl": "browsers and nginx take XSLT as any XML",
}


def nginx() -> Iterator[tuple[str, str]]:
    for media, endings in re.findall(r"^\s*([\w.+/-]+)\s+([^;{}]+);", NGINX.read_text(), re.MULTILINE):
        yield from ((ending, media) for ending in endings.split())


def debian() -> Iterator[tuple[str, str]]:
    for line in DEBIAN.read_text().splitlines():
        media, *endings = line.partition("#")[0].split() or [""]
        yield from ((ending, media) for ending in endings)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param(nginx, marks=pytest.mark.skipif(not NGINX.exists(), reason="nginx is not installed")),
        pytest.param(debian, marks=pytest.mark.skipif(not DEBIAN.exists(), reason="media-types is not installed")),
    ],
)
def test_each_difference_was_meant(others: Callable[[], Iterator[tuple[str, str]]]) -> None:
    ours = {ending.decode(): media.decode() for ending, media in _rows(_ENDINGS)}
    differs = {
        ending: (media, ours[ending])
        for ending, media in others()
        if ending in ours and ours[ending] != media and ending not in DIFFERENT
    }
    assert differs == {}


def test_what_is_said_to_differ_is_in_the_table() -> None:
    assert {ending.decode() for ending, _ in _rows(_ENDINGS)} >= set(DIFFERENT)
