"""The pages PWB writes itself. They repeat nothing that a client sent: nothing can be smuggled in (hazard G2)."""

from functools import lru_cache
from typing import Final

from pwb_async.core.semantics.messages import REASONS

_WORDS: Final = {404: b"404 file not found"}
"""The book's words, where it has some."""

_PAGE: Final = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>%s</title>
<style>body { font: 1.1rem system-ui, sans-serif; margin: 20vh auto; text-align: center }</style>
</head>
<body>
<h1>%s</h1>
</body>
</html>
"""


@lru_cache(64)
def status_page(status: int) -> bytes:
    """A small HTML page that says what `status` means."""
    words = _WORDS.get(status) or b"%d %s" % (status, REASONS[status])
    return _PAGE % (words, words)
