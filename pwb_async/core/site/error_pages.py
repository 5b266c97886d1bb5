"""The error pages of PWB. They contain nothing that a client sent, so that no script can be injected (hazard G2)."""

from functools import lru_cache
from typing import Final

from pwb_async.core.semantics.messages import REASONS

_TITLES: Final = {404: b"404 file not found"}
"""Titles that are not the reason phrase: these are quoted from the book."""

_PAGE: Final = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>%s</title>
<style>body { font: 1.1rem system-ui, sans-serif; margin: 20vh 1rem; text-align: center }</style>
</head>
<body>
<main>
<h1>%s</h1>
</main>
</body>
</html>
"""


@lru_cache(64)
def status_page(status: int) -> bytes:
    """A small HTML page for a status code."""
    title = _TITLES.get(status) or b"%d %s" % (status, REASONS[status])
    return _PAGE % (title, title)
