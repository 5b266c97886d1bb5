"""The results: tables as values, as text, as JSON, and the one line that CI keeps."""

import json
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from pwb_legacy.compare.report.spread import figure

from .measure import Sample

YARDSTICK = "nginx"  # ratios are relative to this peer
TAIL_WORK = "zipf-log"  # its 99th percentile is in the line that CI keeps
MIB = 1 << 20


@dataclass(slots=True)
class Row:
    """The result of one peer at one work: a sample for each round, or the reason why there is none.

    ``memory_bytes`` is the proportional set size of its process tree right after the last round.
    """

    peer: str
    title: str
    samples: list[Sample] = field(default_factory=list)
    cannot: str = ""
    remarks: list[str] = field(default_factory=list)
    memory_bytes: int = 0

    @property
    def value(self) -> float:
        """The median figure over the rounds, in the table's unit."""
        return median(sample.value for sample in self.samples)

    @property
    def note(self) -> str:
        """Why there is no figure, or the remarks on it; often empty."""
        if self.cannot:
            return f"cannot: {self.cannot}"
        return "; ".join(dict.fromkeys([*self.remarks, *(word for each in self.samples for word in each.remarks)]))


@dataclass(slots=True)
class Table:
    """The results of all peers at one work. ``unit`` is that of the samples: us (CPU per request), ms or bytes."""

    work: str
    title: str
    unit: str
    rows: list[Row]

    def row(self, peer: str) -> Row | None:
        """The row of a peer that was measured."""
        return next((row for row in self.rows if row.peer == peer and row.samples), None)

    def ratio(self, peer: str, attribute: str = "value") -> float | None:
        """The peer's figure over nginx's: taken for each round, then the median of those.

        None when either was not measured; rounds that one of them lacks are left out. attribute: of the samples.
        """
        row, yardstick = self.row(peer), self.row(YARDSTICK)
        if row is None or yardstick is None:
            return None
        pairs = zip(row.samples, yardstick.samples, strict=False)
        figures = ((getattr(mine, attribute), getattr(its, attribute)) for mine, its in pairs)
        return median(mine / its if its > 0 else 0.0 for mine, its in figures)


@dataclass(slots=True)
class Report:
    """The results of one run: its conditions, the measured peers (name to version), the missing ones (name to reason)."""

    conditions: dict[str, object]
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)


def conditions(seconds: int, rounds: int, server_core: int, load_core: int) -> dict[str, object]:
    """The conditions that a reader needs to judge the figures."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in cpus if "model name" in line), "")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": model,
        "cores": os.cpu_count(),
        "server core": server_core,
        "load core": load_core,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load average before": round(os.getloadavg()[0], 1),
        "rounds": rounds,
        "seconds a round": seconds,
    }


def as_text(table: Table) -> str:
    """One table for a terminal."""
    loaded = table.unit == "us"
    names = ["peer", f"{UNITS[table.unit]}", f"x {YARDSTICK}"]
    names += ["req/s", "p50 ms", "p99 ms", f"p99 x {YARDSTICK}", "bytes", "errors", "memory MiB"] if loaded else []
    lines, notes = [names], []
    for row in sorted(table.rows, key=lambda row: (not row.samples, row.samples and row.value)):
        if row.note:
            notes.append(f"  {row.title}: {row.note}")
        if row.samples:
            lines.append(_cells(table, row, loaded))
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    text = [f"{table.work}: {table.title}"]
    for line in lines:
        cells = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        text.append("  ".join([f"  {line[0].ljust(widths[0])}", *cells]))
    return "\n".join(text + notes)


UNITS = {"us": "CPU us/request", "ms": "ms", "bytes": "bytes"}


def _cells(table: Table, row: Row, loaded: bool) -> list[str]:
    cells = [row.title, figure(row.value), _ratio(table, row)]
    if loaded:
        cells += [
            f"{median(sample.requests_per_second for sample in row.samples):,.0f}",
            f"{median(sample.p50_ms for sample in row.samples):.2f}",
            f"{median(sample.p99_ms for sample in row.samples):.2f}",
            _ratio(table, row, "p99_ms"),
            f"{median(sample.bytes_per_response for sample in row.samples):,.0f}",
            f"{sum(sample.errors for sample in row.samples):,}",
            f"{row.memory_bytes / MIB:.1f}",
        ]
    return cells


def _ratio(table: Table, row: Row, attribute: str = "value") -> str:
    ratio = table.ratio(row.peer, attribute)
    return "-" if ratio is None else f"{ratio:.2f}"


def missing_lines(missing: dict[str, str]) -> Iterable[str]:
    """A line for each peer that is not on this machine."""
    return (f"missing: {name} ({reason})" for name, reason in missing.items())


def quick_line(report: Report) -> str:
    """The line that CI keeps: each work's ratio to nginx, for PWB and then for the floor."""
    words = []
    for table in report.tables:
        for peer, name in (("pwb", ""), ("floor", "floor ")):
            row, ratio = table.row(peer), table.ratio(peer)
            if ratio is not None:
                tail = table.ratio(peer, "p99_ms") if table.work == TAIL_WORK else None
                words.append(f"{name}{table.work} {ratio:.2f}x {YARDSTICK}{f' (p99 {tail:.2f}x)' if tail else ''}")
            elif row is not None:
                words.append(f"{name}{table.work} {figure(row.value)} {table.unit}")
            elif peer == "pwb" and peer in report.versions:
                words.append(f"{table.work} not measured")
    line = f"benchmark quick: {', '.join(words) or 'nothing measured'}"
    return f"{line}; missing: {', '.join(report.missing)}" if report.missing else line


def as_json(report: Report) -> str:
    """The whole report; every row also has its median ``value`` and its ``ratio`` to nginx."""
    data = asdict(report)
    for table, table_data in zip(report.tables, data["tables"], strict=True):
        for row, row_data in zip(table.rows, table_data["rows"], strict=True):
            row_data["value"] = row.value if row.samples else None
            row_data["ratio"] = table.ratio(row.peer)
    return json.dumps(data, indent=2) + "\n"


def from_json(text: str) -> Report:
    """A report that ``as_json`` wrote."""
    data = json.loads(text)
    tables = []
    for table_data in data["tables"]:
        rows = []
        for row in table_data["rows"]:
            samples = [Sample(**sample) for sample in row["samples"]]
            columns = {key: row[key] for key in ("peer", "title", "cannot", "remarks")}
            rows.append(Row(**columns, samples=samples, memory_bytes=row["memory_bytes"]))
        tables.append(Table(table_data["work"], table_data["title"], table_data["unit"], rows))
    return Report(data["conditions"], data["versions"], data["missing"], tables)
