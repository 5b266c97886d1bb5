"""The behaviours as tables: one module a subject, one Row a behaviour."""

from pwb_legacy.compare.checks.rows import Row

from . import conditions, content, limits, methods, names, persistence, ranges, representation, targets

ROWS: list[Row] = [
    row
    for module in (methods, representation, conditions, ranges, targets, names, persistence, content, limits)
    for row in module.ROWS
]
"""All of them; an id is there only once."""
