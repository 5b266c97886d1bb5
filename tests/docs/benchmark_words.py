"""The paragraphs of docs/benchmark.md that have figures of a run: sentences on its works, and its conditions."""

import textwrap
from statistics import median

from tests.benchmarks.curves import CURVES
from tests.benchmarks.report import Report, Table

PEERS = ("pwb", "nginx")


def growth(report: Report) -> str:
    """The three sentences, and the conditions of the run, as two paragraphs of Markdown."""
    curves = {curve.name: curve.tables(report) for curve in CURVES}
    files = [_value(curves["files"][100_000], peer) / _value(curves["files"][100], peer) for peer in PEERS]
    one, two, sixteen = ([_value(curves["ranges"][count], peer) for peer in PEERS] for count in (1, 2, 16))
    second = [after - before for before, after in zip(one, two, strict=True)]
    further = [(after - before) / 14 for before, after in zip(two, sixteen, strict=True)]
    sentences = [
        "The more files are asked for, the more PWB falls behind: with 100,000 files instead of 100 a response takes "
        f"{files[0]:.1f} times as much processor time, and {files[1]:.1f} times with nginx, because the cache of 64 MiB holds "
        "a part of them only and a thread has to open each of the others; `--cache` should have room for what is popular.",
        "Clients, workers and header fields count for less: PWB takes "
        f"{_ratios(curves['connections'])} times what nginx does with 1 and 10,000 connections, "
        f"{_ratios(curves['workers'])} with one worker and with two on the same core, and "
        f"{_ratios(curves['fields'])} with 5 and 50 fields.",
        f"A second range takes PWB {second[0]:.1f} µs more and nginx {second[1]:.1f} µs, and each one after that "
        f"{further[0]:.1f} and {further[1]:.1f} µs, where a request of its own takes {one[0]:.1f} and {one[1]:.1f} µs: those "
        "who need many should ask for them at once.",
    ]
    return _section(sentences, report, "growth")


def peers(report: Report) -> str:
    """The conditions of the run of all peers, and the tail of its response times, as a paragraph of Markdown."""
    files = next(table for table in report.tables if table.work == "zipf-log")
    p99 = [median(sample.p99_ms for sample in row.samples) for peer in PEERS if (row := files.row(peer))]
    return wrapped(
        f"{conditions(report)} The 99th percentile of the response times of the 1,000 files was {p99[0]:.1f} ms, nginx's "
        f"{p99[1]:.1f}. All servers and workloads, with requests a second and latencies: "
        "[benchmark/results.json](benchmark/results.json)."
    )


def compression(report: Report) -> str:
    """The sentences about compressed responses as a list, and the conditions of the run, in Markdown."""
    tables = {table.work: table for table in report.tables}
    plain, coded, site, ahead = (tables[f"coded-{name}"] for name in ("not-asked", "hits", "site", "neighbours"))
    cold = {coding: tables[f"coded-cold-{coding}"] for coding in ("zstd", "gzip")}
    sizes = [_bytes(table, "pwb") / 1024 for table in (plain, coded)]
    whole = {peer: _value(site, peer) for peer in (*PEERS, "caddy", "starlette")}
    sentences = [
        f"A response with one of 1,000 text files takes PWB {_value(plain, 'pwb'):.1f} µs if the client accepts no coding, and "
        f"{_value(coded, 'pwb'):.1f} µs if it accepts br, gzip and zstd ({_over(coded, plain, 'pwb', 'pwb'):.2f} times as much), "
        f"with {sizes[1]:.1f} instead of {sizes[0]:.1f} KiB, because it is compressed once and then kept; nginx and Caddy, which "
        f"compress each response anew, take {_value(coded, 'nginx'):,.0f} and {_value(coded, 'caddy'):,.0f} µs.",
        f"With `--cache off`, when PWB has to compress 100 KiB for each request, too, it takes {_value(cold['zstd'], 'pwb') / 1000:.2f} ms "
        f"with zstd and {_value(cold['gzip'], 'pwb') / 1000:.2f} ms with gzip, Caddy {_value(cold['zstd'], 'caddy') / 1000:.2f} and "
        f"{_value(cold['gzip'], 'caddy') / 1000:.2f} ms; the responses have {_bytes(cold['zstd'], 'pwb') / 1024:.1f} and "
        f"{_bytes(cold['gzip'], 'pwb') / 1024:.1f} KiB, Caddy's {_bytes(cold['zstd'], 'caddy') / 1024:.1f} and "
        f"{_bytes(cold['gzip'], 'caddy') / 1024:.1f}.",
        f"All files of Python's documentation, one after the other, take PWB {whole['pwb']:,.0f} µs a file, nginx "
        f"{whole['nginx']:,.0f}, Caddy {whole['caddy']:,.0f}, and Starlette with its GZipMiddleware {whole['starlette']:,.0f}, "
        f"{_over(site, site, 'starlette', 'pwb'):,.0f} times as much as PWB.",
        f"Where the files are compressed ahead of time, PWB takes {_value(ahead, 'pwb'):.1f} µs, nginx with `gzip_static` "
        f"{_value(ahead, 'nginx'):.1f}, and Caddy with `precompressed` {_value(ahead, 'caddy'):.1f}.",
    ]
    where = f"{conditions(report)} All figures: [benchmark/compression.json](benchmark/compression.json)."
    return "\n".join([*(wrapped(sentence, "- ") for sentence in sentences), "", wrapped(where)])


def tls(report: Report) -> str:
    """The sentences about HTTPS, and the conditions of the run, as two paragraphs of Markdown."""
    tables = {table.work: table for table in report.tables}
    small, medium, huge, resumed, full = (tables[f"https-{name}"] for name in ("hot", "100k", "100m", "new", "full"))
    sentences = [
        f"On a connection that is kept, 1 KiB takes PWB {_figure(small)} µs, {_ratio(small)} times as much as nginx, "
        f"100 KiB {_figure(medium)} µs ({_ratio(medium)}), and 100 MiB {_value(huge, 'pwb') / 1000:.0f} ms ({_ratio(huge)}).",
        f"A new connection with one request takes {_figure(resumed)} µs if it resumes a session ({_ratio(resumed)}) and "
        f"{_figure(full)} with a full handshake ({_ratio(full)}).",
        _others(small, "1 KiB"),
    ]
    return _section(sentences, report, "tls")


def http2(report: Report) -> str:
    """The sentences about HTTP/2, and the conditions of the run, as two paragraphs of Markdown."""
    tables = {table.work.removeprefix("http2-"): table for table in report.tables}
    small, pages = ([tables[f"{name}-{streams}"] for streams in (1, 10, 100)] for name in ("hot", "pages"))
    sentences = [
        f"With 10 and 100 requests at a time on each connection, 1 KiB takes PWB {_figure(small[1])} and {_figure(small[2])} µs, "
        f"{_ratio(small[1])} and {_ratio(small[2])} times as much as nginx, since what one read of the socket brings is "
        f"answered by one write; with one request at a time it takes {_figure(small[0])} µs ({_ratio(small[0])}).",
        f"1,000 files of 12 KiB take {_ratio(pages[1])} and {_ratio(pages[2])} times as much as with nginx, one at a time "
        f"{_ratio(pages[0])}; 100 KiB {_ratio(tables['100k'])}, and 1 MiB {_ratio(tables['1m'])}.",
        _others(small[1], "1 KiB, 10 at a time,"),
    ]
    return _section(sentences, report, "http2")


def _figure(table: Table) -> str:
    return f"{_value(table, 'pwb'):.3g}"


def _ratio(table: Table) -> str:
    return f"{table.ratio('pwb') or 0:.2f}"


def _others(table: Table, what: str) -> str:
    """A sentence about the peers other than nginx that could do a work, by their cost in terms of PWB's."""
    rows = sorted((row for row in table.rows if row.samples and row.peer not in PEERS), key=lambda row: row.value)
    words = [f"{row.title} {_over(table, table, row.peer, 'pwb'):.3g}" for row in rows]
    return f"Times as much processor time as PWB for {what} took: {', '.join(words)}." if words else ""


def _section(sentences: list[str], report: Report, name: str) -> str:
    where = f"{conditions(report)} All figures: [benchmark/{name}.json](benchmark/{name}.json)."
    return "\n\n".join(map(wrapped, (" ".join(filter(None, sentences)), where)))


def conditions(report: Report) -> str:
    found = report.conditions
    versions = dict.fromkeys(word for version in report.versions.values() for word in version.split(", "))
    system = ".".join(str(found["system"]).split(".")[:2])
    load = f", load average {found['load average before']} before them" if "load average before" in found else ""
    return (
        f"Conditions: {found['processor']}, one core for the servers and one for the load, {system}, CPython "
        f"{found['python']}, {', '.join(versions)}; {found['date']}, {found['rounds']} rounds of "
        f"{found['seconds a round']} s{load}."
    )


def wrapped(paragraph: str, bullet: str = "") -> str:
    indents = {"initial_indent": bullet, "subsequent_indent": " " * len(bullet)}
    return textwrap.fill(paragraph, 120, break_long_words=False, break_on_hyphens=False, **indents)


def _value(table: Table, peer: str) -> float:
    row = table.row(peer)
    assert row, f"{peer} was not measured at {table.work}"
    return row.value


def _bytes(table: Table, peer: str) -> float:
    """The bytes of a response, with its head."""
    row = table.row(peer)
    assert row, f"{peer} was not measured at {table.work}"
    return median(sample.bytes_per_response for sample in row.samples)


def _over(table: Table, other: Table, peer: str, divisor: str) -> float:
    """A peer's figure divided by one of the same rounds: that of each round, then the median of those."""
    row, its = table.row(peer), other.row(divisor)
    assert row
    assert its
    return median(mine.value / each.value for mine, each in zip(row.samples, its.samples, strict=True))


def _ratios(tables: dict[int, Table]) -> str:
    """PWB's figure divided by nginx's, at the first and at the last place of a curve."""
    ends = list(tables.values())[:: len(tables) - 1]
    return " and ".join(f"{table.ratio('pwb') or 0:.2f}" for table in ends)
