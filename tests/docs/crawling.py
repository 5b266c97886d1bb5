"""Follows every reference of a site that is served."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final, NamedTuple
from urllib.parse import urldefrag, urljoin
from urllib.request import Request, build_opener

_TEXTS: Final = ("text/html", "image/svg+xml")
"""The media types of files that have ids."""


class Reference(NamedTuple):
    """A reference that a page has."""

    page: str
    url: str
    status: int
    """Of the response, after redirects."""
    there: bool
    """Whether the fragment is there, if the reference has one."""


class _Links(HTMLParser):
    """What a page refers to, and the ids that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        """The references that a reader follows."""
        self.loaded: list[str] = []
        """The references that a browser follows by itself."""
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        (self.links if tag == "a" else self.loaded).extend(
            value for name in ("href", "src", "srcset") if (value := values.get(name))
        )
        if "id" in values:
            self.ids.add(values["id"] or "")


def crawl(site: str, *, leads_out: bool = False) -> Iterator[Reference]:
    """Follow each reference of each page that can be reached from the front page.

    site: the URL of the server, without a slash at its end. leads_out: whether readers may be led to other hosts; no
    page may load anything from there.
    """
    pages = {}
    waiting = [site + "/"]
    while waiting:
        page = waiting.pop()
        if page in pages:
            continue
        final, status, kind, text = _get(page)
        pages[page] = (final, status, _Links(text))
        if kind == "text/html":
            for link in (*pages[page][2].links, *pages[page][2].loaded):
                url = urldefrag(urljoin(final, link)).url
                if url.startswith(site) and "?" not in url:
                    waiting.append(url)
    for page, (final, _, parsed) in pages.items():
        for link in (*parsed.links, *parsed.loaded):
            url, fragment = urldefrag(urljoin(final, link))
            if url.startswith("data:") or "?" in url:
                continue
            if not url.startswith(site):
                assert leads_out, f"{page} leads to another host: {url}"
                assert link not in parsed.loaded, f"{page} loads {url}"
                continue
            _, status, target = pages[url]
            yield Reference(page, url, status, not fragment or "=" in fragment or fragment in target.ids)


def _get(url: str) -> tuple[str, int, str, str]:
    """The URL after redirects, the status, the media type, and the text of a page or a drawing."""
    opener = build_opener()
    opener.process_response.pop("http", None)  # which raises for 404; redirects are then followed here
    for _ in range(5):
        with opener.open(Request(url), timeout=20) as response:
            if response.status not in (301, 302):
                kind = response.headers.get_content_type()
                return url, response.status, kind, response.read().decode() if kind in _TEXTS else ""
            url = urljoin(url, response.headers["Location"])
    raise AssertionError(f"{url}: too many redirects")
