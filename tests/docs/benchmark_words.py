"""The paragraphs of docs/benchmark.md that have figures of a run: the three sentences on the growth curves, conditions."""

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
    where = f"{_conditions(report)} All figures: [benchmark/growth.json](benchmark/growth.json)."
    return "\n\n".join(map(_wrapped, (" ".join(sentences), where)))


def peers(report: Report) -> str:
    """The conditions of the run of all peers, and the tail of its response times, as a paragraph of Markdown."""
    files = next(table for table in report.tables if table.work == "zipf-log")
    p99 = [median(sample.p99_ms for sample in row.samples) for peer in PEERS if (row := files.row(peer))]
    return _wrapped(
        f"{_conditions(report)} The 99th percentile of the response times of the 1,000 files was {p99[0]:.1f} ms, nginx's "
        f"{p99[1]:.1f}. All servers and workloads, with requests a second and latencies: "
        "[benchmark/results.json](benchmark/results.json)."
    )


def _conditions(report: Report) -> str:
    found = report.conditions
    versions = dict.fromkeys(word for version in report.versions.values() for word in version.split(", "))
    system = ".".join(str(found["system"]).split(".")[:2])
    load = f", load average {found['load average before']} before them" if "load average before" in found else ""
    return (
        f"Conditions: {found['processor']}, one core for the servers and one for the load, {system}, CPython "
        f"{found['python']}, {', '.join(versions)}; {found['date']}, {found['rounds']} rounds of "
        f"{found['seconds a round']} s{load}."
    )


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, 120, break_long_words=False, break_on_hyphens=False)


def _value(table: Table, peer: str) -> float:
    row = table.row(peer)
    assert row, f"{peer} was not measured at {table.work}"
    return row.value


def _ratios(tables: dict[int, Table]) -> str:
    """PWB's figure divided by nginx's, at the first and at the last place of a curve."""
    ends = list(tables.values())[:: len(tables) - 1]
    return " and ".join(f"{table.ratio('pwb') or 0:.2f}" for table in ends)
