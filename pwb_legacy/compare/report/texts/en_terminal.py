"""The part of the English catalogue that is printed in a terminal."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, str]] = {
    "table.legend": (
        "/s: requests a second (k: thousands); p90: ms that 90 of 100 requests wait;\n"
        "KiB: memory for an idle connection; ! some failed; - no figure; x not measured"
    ),
    "table.legend.pages": "ms: until the page is complete",
    "table.line": "round {round}  {design:16} {scenario:12}",
    "table.line.rate": "{rate:9,.0f}/s",
    "table.line.p90": "  p90 {ms:.1f} ms",
    "table.line.cpu": "  {us:,.0f} us each",
    "table.line.failures": "  {n:,} failures",
    "table.written": "{page} has the pictures, {json} the figures",
    "table.drawn": "{page} has the pictures",
    "table.earlier": "{json} has the figures of the run before",
    "table.elsewhere": "{json}: {why}; all is written to {folder}",
    "table.alone": "one design is measured, so nothing is compared; name two, such as --modes thread,epoll",
    "table.not_drawn": "{json} has the figures; the page could not be drawn: {why}",
    "table.alike": "{requests} requests are answered alike by all {n} designs",
    "table.one_design": "one design was asked: nothing to compare its answers with",
    "table.progress": "round {round}, {design}, {scenario}",
    "table.rates": "rates of the open loops: {rates}",
    "table.finding_rates": "finding the rates of the open loops",
    # diff
    "diff.alike": "{requests} to {n} designs: all are answered alike",
    "diff.unlike": "{requests} to {n} designs: {count:,} are not answered alike",
    "diff.one": "{requests} to one design: nothing to compare its answers with",
    "diff.request": "1 request",
    "diff.requests": "{n:,} requests",
}
