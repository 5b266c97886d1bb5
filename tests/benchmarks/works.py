"""The works (workloads): the requests, the number of connections, and the expected responses.

A work is data. Its ``plan`` writes the request heads byte for byte, so that the very requests that
are checked before the measurement are those that the load generator replays.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

from .site import PAGES, TAIL_BODIES, Site, tail_bodies, tail_path

# What Chromium 140 on Linux sends for a page of a site that it is on, with a cookie: 14 fields.
BROWSER = (
    b"Host: 127.0.0.1\r\n"
    b"Connection: keep-alive\r\n"
    b'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"\r\n'
    b"sec-ch-ua-mobile: ?0\r\n"
    b'sec-ch-ua-platform: "Linux"\r\n'
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/140.0.0.0 Safari/537.36\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    b"*/*;q=0.8\r\n"
    b"Sec-Fetch-Site: same-origin\r\n"
    b"Sec-Fetch-Mode: navigate\r\n"
    b"Sec-Fetch-Dest: document\r\n"
    b"Referer: http://127.0.0.1/site/pages/00/page-0000.html\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Accept-Language: en-GB,en;q=0.9,zh-CN;q=0.8\r\n"
    b"Cookie: visitor=5f2b7a90c1d34e6f; theme=dark\r\n"
)
HOST = b"Host: 127.0.0.1\r\n"
ORDER_LENGTH = 20_000  # requests before the Zipf order begins again
TAIL_ORDER = 200_000  # the same for the long tail: twice its files
TAIL_EXPONENT = 0.8  # of the Zipf distribution of its requests
LOG_SECONDS = 1.2  # after a round: by then every peer has written the buffered lines of its log


@dataclass(frozen=True, slots=True)
class ExpectedResponse:
    """The response that a request must get.

    ``parts``: the parts of a multipart/byteranges response; ``body`` is then what they are together. ``coded``: it must
    have a content coding; ``body`` is what it decodes to. None: it may have one.
    """

    status: int
    body: bytes
    parts: tuple[bytes, ...] = ()
    coded: bool | None = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Request heads, the expected response to each, and the order in which they are sent.

    The order is of indices and begins again at its end.
    """

    requests: tuple[bytes, ...]
    responses: tuple[ExpectedResponse, ...]
    order: tuple[int, ...] = (0,)

    def mean_body(self) -> float:
        """The mean length of the bodies over one pass of the order, in bytes, before any content coding."""
        return sum(len(self.responses[index].body) for index in self.order) / len(self.order)

    def order_after(self, asked: int) -> tuple[int, ...]:
        """The order from where it is after so many requests."""
        first = asked % len(self.order)
        return self.order[first:] + self.order[:first]

    @property
    def coded(self) -> bool:
        """Whether responses are expected to have a content coding."""
        return any(response.coded for response in self.responses)

    def fixed(self) -> "Plan":
        """The same requests for a server that sends one response to all of them: the one of the usual size."""
        mean = self.mean_body()
        usual = min(self.responses, key=lambda answer: abs(len(answer.body) - mean))
        return Plan(self.requests, (usual,) * len(self.responses), self.order)


@dataclass(frozen=True, slots=True)
class Work:
    """One workload to measure.

    ``plan`` takes the site and the entity tag that the peer sent for the file ``tagged``. ``log``:
    an access log is written. ``cache``: a peer may keep responses or open files in memory. ``quick``:
    part of ``--quick``. ``stretch`` multiplies the seconds of a round. ``workers``: of each peer that can have several.
    ``tail``: how many files of the site's tail it asks for. ``pause``: milliseconds between the requests of a client,
    which then needs a new connection for each. ``tree``: of which tree of ``texts.py`` the files are; those of
    ``site.py`` if it is empty. ``compression``: how a peer compresses: not at all (empty), ``on the fly``, or by the
    ``neighbours`` of files. Works of the same ``group`` are measured in the same rounds. ``tls``: over HTTPS; new
    connections resume their session, unless it is ``full handshakes``. ``streams``: requests at a time on each connection,
    by HTTP/2 over TLS; 0 for HTTP/1.1.
    """

    name: str
    title: str
    plan: Callable[[Site, bytes], Plan]
    connections: int = 64
    tagged: str = ""
    log: bool = False
    cache: bool = True
    quick: bool = True
    stretch: int = 1
    workers: int = 1
    tail: int = 0
    pause: int = 0
    tree: str = ""
    compression: str = ""
    group: str = ""
    tls: str = ""
    streams: int = 0


def get(path: str, fields: bytes = HOST) -> bytes:
    """A request head for a file of the site."""
    return b"GET /site/" + path.encode() + b" HTTP/1.1\r\n" + fields + b"\r\n"


def file(path: str, fields: bytes = HOST) -> Callable[[Site, bytes], Plan]:
    """A plan of one request for one file."""
    return lambda site, tag: Plan((get(path, fields),), (ExpectedResponse(200, site.read(path)),))


def _not_modified(site: Site, tag: bytes) -> Plan:
    fields = HOST + b"If-None-Match: " + tag + b"\r\n"
    return Plan((get("small.html", fields),), (ExpectedResponse(304, b""),))


def _range(site: Site, tag: bytes) -> Plan:
    request = get("medium.js", HOST + b"Range: bytes=5000-5999\r\n")
    return Plan((request,), (ExpectedResponse(206, site.read("medium.js")[5000:6000]),))


def zipf(site: Site, tag: bytes, fields: bytes = BROWSER, coded: bool = False) -> Plan:
    """The thousand files; the one of rank n is requested in proportion to 1/n. coded: they must have a content coding."""
    rng = random.Random(1949)
    pages = list(site.pages)
    rng.shuffle(pages)
    return Plan(
        tuple(get(page, fields) for page in pages),
        tuple(ExpectedResponse(200, site.read(page), coded=coded) for page in pages),
        _ranks(rng, PAGES, 1.0, ORDER_LENGTH),
    )


def accepting(codings: bytes) -> bytes:
    """The browser's fields with these codings in Accept-Encoding; without that field if there are none."""
    line = b"Accept-Encoding: " + codings + b"\r\n" if codings else b""
    return BROWSER.replace(b"Accept-Encoding: gzip, deflate, br, zstd\r\n", line)


def _ranks(rng: random.Random, count: int, exponent: float, length: int) -> tuple[int, ...]:
    """So many ranks from 0 on, drawn by Zipf's law: the n-th is drawn in proportion to 1 / n ** exponent."""
    weights = list(itertools.accumulate(rank**-exponent for rank in range(1, count + 1)))
    return tuple(rng.choices(range(count), cum_weights=weights, k=length))


def tail(count: int) -> Work:
    """The work of so many files of 4 KiB, of which a few are popular and most are asked for seldom."""

    def plan(site: Site, tag: bytes) -> Plan:
        rng = random.Random(1949)
        numbers = rng.sample(range(count), count)
        bodies = [ExpectedResponse(200, body) for body in tail_bodies()]
        return Plan(
            tuple(get(tail_path(number)) for number in numbers),
            tuple(bodies[number % TAIL_BODIES] for number in numbers),
            _ranks(rng, count, TAIL_EXPONENT, TAIL_ORDER),
        )

    title = f"{count:,} files of 4 KiB, Zipf with exponent {TAIL_EXPONENT}"
    return Work("long-tail", title, plan, quick=False, tail=count)


ZIPF = "1,000 files of 12 KiB, Zipf, browser's fields"
WORKS = (
    Work("hot", "1 KiB hot file", file("small.html")),
    Work("not-modified", "304 by If-None-Match", _not_modified, tagged="small.html"),
    Work("range", "206, 1,000 bytes of a 100 KiB file", _range),
    Work("zipf-log", f"{ZIPF}, log", zipf, log=True),
    Work("file-100k", "100 KiB file", file("medium.js"), connections=16),
    Work("file-1m", "1 MiB file", file("large.bin"), connections=16),
    Work("file-100m", "100 MiB file", file("huge.bin"), connections=16, quick=False, stretch=2),
    Work(
        "new-connection",
        "1 KiB hot file, a new connection for every request",
        file("small.html", HOST + b"Connection: close\r\n"),
    ),
    Work(
        "paced-connections",
        "the same by 10,000 clients, each of which pauses 100 ms between its requests",
        file("small.html", HOST + b"Connection: close\r\n"),
        connections=10_000,
        quick=False,
        stretch=2,
        pause=100,
    ),
    Work("zipf-cache-off", f"{ZIPF}, no cache, no log", zipf, cache=False, quick=False),
    tail(100_000),
)


def _zipf_coded(site: Site, tag: bytes) -> Plan:
    return zipf(site, tag, accepting(b"br, gzip, zstd"), True)


def _compressed(coding: bytes) -> Callable[[Site, bytes], Plan]:
    request = get("text.html", HOST + b"Accept-Encoding: " + coding + b"\r\n")
    return lambda site, tag: Plan((request,), (ExpectedResponse(200, site.read("text.html"), coded=True),))


def _whole(site: Site, tag: bytes) -> Plan:
    """Every file of the site once, in an order without meaning, with the fields of a browser."""
    pages = list(site.pages)
    random.Random(1949).shuffle(pages)
    return Plan(
        tuple(get(page, BROWSER) for page in pages),
        tuple(_of_documentation(page, site.read(page)) for page in pages),
        tuple(range(len(pages))),
    )


def _of_documentation(page: str, body: bytes) -> ExpectedResponse:
    """A text must have a coding. One that is very small, or no text, may be sent without."""
    text = page.endswith((".html", ".css", ".js", ".txt")) and len(body) >= 1024
    return ExpectedResponse(200, body, coded=True if text else None)


CODED_TEXT = "1,000 text files of 12 KiB, Zipf, browser's fields"
CODED_WORKS = (
    Work(
        "coded-not-asked",
        f"{CODED_TEXT}, no Accept-Encoding",
        lambda site, tag: zipf(site, tag, accepting(b"")),
        tree="text",
        compression="on the fly",
        group="coded-hits",
    ),
    Work(
        "coded-hits",
        f"{CODED_TEXT}, Accept-Encoding: br, gzip, zstd",
        _zipf_coded,
        tree="text",
        compression="on the fly",
        group="coded-hits",
    ),
    *(
        Work(
            f"coded-cold-{coding}",
            f"100 KiB of text, compressed for each request with {coding}",
            _compressed(coding.encode()),
            connections=16,
            cache=False,
            tree="text",
            compression="on the fly",
        )
        for coding in ("zstd", "gzip")
    ),
    Work(
        "coded-site",
        "the documentation of Python, every file in turn, compressed",
        _whole,
        connections=16,
        stretch=2,
        tree="documentation",
        compression="on the fly",
    ),
    Work(
        "coded-neighbours",
        f"{CODED_TEXT}, compressed ahead of time",
        _zipf_coded,
        tree="neighbours",
        compression="neighbours",
    ),
)
"""The works of ``--compression``: servers as they are by default, or as their documentation makes them compress."""
CLOSE = HOST + b"Connection: close\r\n"
TLS_WORKS = (
    Work("https-hot", "HTTPS, 1 KiB hot file, log", file("small.html"), connections=16, log=True, tls="kept"),
    Work("https-100k", "HTTPS, 100 KiB file, log", file("medium.js"), connections=16, log=True, tls="kept"),
    Work("https-100m", "HTTPS, 100 MiB file, log", file("huge.bin"), connections=4, log=True, tls="kept", stretch=2),
    Work(
        "https-new",
        "HTTPS, 1 KiB hot file, a new connection for every request, which resumes a session, log",
        file("small.html", CLOSE),
        connections=16,
        log=True,
        tls="resumed",
    ),
    Work(
        "https-full",
        "HTTPS, 1 KiB hot file, a new connection with a full handshake for every request, log",
        file("small.html", CLOSE),
        connections=16,
        log=True,
        tls="full handshakes",
    ),
)
"""The works of ``--tls``, by HTTP/1.1 over TLS 1.3, with a certificate that has an ECDSA key."""


def _http2(name: str, title: str, plan: Callable[[Site, bytes], Plan], streams: int) -> Work:
    return Work(f"http2-{name}", f"HTTP/2, {title}, log", plan, connections=16, log=True, tls="kept", streams=streams)


def all_pages(site: Site, tag: bytes) -> Plan:
    """The thousand files one after another: h2load cannot draw them by their popularity."""
    return Plan(
        tuple(get(page) for page in site.pages),
        tuple(ExpectedResponse(200, site.read(page)) for page in site.pages),
        tuple(range(PAGES)),
    )


HTTP2_WORKS = (
    *(
        _http2(f"hot-{streams}", f"1 KiB hot file, {streams} at a time", file("small.html"), streams)
        for streams in (1, 10, 100)
    ),
    *(
        _http2(f"pages-{streams}", f"1,000 files of 12 KiB, {streams} at a time", all_pages, streams)
        for streams in (1, 10, 100)
    ),
    _http2("100k", "100 KiB file, 10 at a time", file("medium.js"), 10),
    _http2("1m", "1 MiB file, 10 at a time", file("large.bin"), 10),
)
"""The works of ``--http2``, over TLS 1.3, with the log on, and without a limit on the requests of a connection."""
