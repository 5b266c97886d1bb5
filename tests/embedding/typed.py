"""Programs for mypy alone, which checks that options have types: a wrong name or value is an error."""

from collections.abc import Callable
from pathlib import Path
from typing import Unpack

import pwb_async


async def right(root: Path) -> str:
    """What is right."""
    async with pwb_async.Server(root, max_age="1m", spa=True, tls_cert=[root / "cert.pem"], unix=None) as server:
        return server.url


def wrapped(root: str, **options: Unpack[pwb_async.OptionValues]) -> str:
    """A function that passes options on."""
    with pwb_async.running(root, **options) as server:
        return server.url


def wrong(check: Callable[[object], object]) -> None:
    """What is wrong."""
    check(pwb_async.Server("site", prot=1))  # type: ignore[call-arg]
    check(pwb_async.Server("site", spa="yes"))  # type: ignore[arg-type]
    check(pwb_async.Server("site", header="X-A: b"))  # type: ignore[arg-type]
    check(pwb_async.running("site", etag="strong"))  # type: ignore[arg-type]
    pwb_async.serve("site", max_age=b"1")  # type: ignore[arg-type]
