"""The text formats of metrics: Prometheus text 0.0.4, and OpenMetrics 1.0, which names units and has an end.

In both a family begins with the lines HELP and TYPE, and a sample is a line with its labels and its value. The name of
a counter's family ends with _total in the older format alone.
"""

from collections.abc import Iterable
from typing import Final

from .families import Family, Kind, Sample

OPEN_METRICS: Final = b"application/openmetrics-text"
"""The media type of OpenMetrics."""
OPEN_METRICS_TYPE: Final = OPEN_METRICS + b"; version=1.0.0; charset=utf-8"
"""The Content-Type of OpenMetrics 1.0."""
TEXT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
"""The Content-Type of Prometheus text 0.0.4."""


def open_metrics(families: Iterable[Family]) -> bytes:
    """The families in OpenMetrics 1.0."""
    lines: list[str] = []
    for each in families:
        lines.append(f"# TYPE {each.name} {each.kind.value}")
        if each.unit:
            lines.append(f"# UNIT {each.name} {each.unit}")
        lines.append(f"# HELP {each.name} {_escape(each.about)}")
        lines += (_line(each.name, sample) for sample in each.samples)
    return ("\n".join([*lines, "# EOF"]) + "\n").encode()


def prometheus_text(families: Iterable[Family]) -> bytes:
    """The families in Prometheus text 0.0.4."""
    lines: list[str] = []
    for each in families:
        name, kind = each.name, each.kind.value
        if each.kind is Kind.COUNTER:
            name += "_total"
        elif each.kind is Kind.INFO:
            name, kind = f"{name}_info", Kind.GAUGE.value
        about = each.about.replace("\\", "\\\\").replace("\n", "\\n")
        lines += (f"# HELP {name} {about}", f"# TYPE {name} {kind}")
        lines += (_line(each.name, sample) for sample in each.samples)
    return ("\n".join(lines) + "\n").encode()


def _line(name: str, sample: Sample) -> str:
    labels = ",".join(f'{label}="{_escape(value)}"' for label, value in sample.labels)
    return (
        f"{name}{sample.suffix}{{{labels}}} {sample.value!r}" if labels else f"{name}{sample.suffix} {sample.value!r}"
    )


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
