"""The behaviours as tables: a module for each subject, a Row for each behaviour."""

from pwb_legacy.compare.checks.rows import Row

from . import coding, conditions, content, limits, methods, names, persistence, ranges, representation, targets

ROWS: list[Row] = [
    row
    for module in (methods, representation, coding, conditions, ranges, targets, names, persistence, content, limits)
    for row in module.ROWS
]
"""All rows; each id occurs once."""
