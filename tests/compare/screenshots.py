"""The pictures of the laboratory: python -m tests.compare.screenshots compare.html trace.html docs/pictures

Each in light and dark, from pages that `compare` and `trace` wrote (one of them is enough), with a real Chromium; in so
few colours that all of them weigh half a megabyte.
"""

import base64
import io
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from PIL import Image

from tests.interop.browser import chromium, set_viewport

MARGIN: Final = 24
"""Pixels above; below there is half of it, where the next thing begins."""
COLOURS: Final = 96
WIDE: Final = 1400
NARROW: Final = 400
SCENARIOS: Final = ("kept", "crowd", "slow-heads", "slow-disk")
MARKS: Final = (
    *("--one", "--each", "--loop", "--async", "--accept", "--head", "--locate", "--find", "--read", "--send"),
    *("--client-1", "--client-2", "--client-3"),
)
"""The names of the colours of marks; a page has some of them."""
COLOURS_OF: Final = """
const style = getComputedStyle(document.documentElement);
return arguments[0].map(name => style.getPropertyValue(name).trim()).filter(colour => colour.length === 7);
"""
FRAME: Final = """
const boxes = [...document.querySelectorAll(arguments[0])].map(one => one.getBoundingClientRect());
return {x: 0, y: Math.min(...boxes.map(box => box.top)) + scrollY,
        height: Math.max(...boxes.map(box => box.bottom)) - Math.min(...boxes.map(box => box.top))};
"""
"""From the top of the first element to the bottom of the last."""


def main(*arguments: Path) -> None:
    """Writes the pictures of some pages into a folder, the last argument, and prints their names."""
    *pages, folder = arguments
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as browser:
        for page in pages:
            pictures = of_trace if page.name.startswith("trace") else of_compare
            for scheme in ("light", "dark"):
                pictures(browser, page.absolute().as_uri(), folder, scheme)


def of_compare(browser: Any, page: str, folder: Path, scheme: str) -> None:
    for width, ending in ((WIDE, ""), (NARROW, "-narrow")):
        set_viewport(browser, width, 900, scheme)
        browser.get(page)
        take(browser, "header", folder / f"verdict{ending}-{scheme}.png", width)
        for name in SCENARIOS if width == WIDE else SCENARIOS[:1]:
            parts = f"[aria-labelledby={name}] :is(h2, .teaches, .charts)"
            take(browser, parts, folder / f"{name}{ending}-{scheme}.png", width)


def of_trace(browser: Any, page: str, folder: Path, scheme: str) -> None:
    """All lanes, and one step with its source: the first send that waits for the slow reader."""
    set_viewport(browser, WIDE, 900, scheme)
    browser.get(page)
    take(browser, ".all", folder / f"timeline-{scheme}.png", WIDE)
    browser.execute_script("go(player.order.findIndex(({step}) => step[WAITS] === 'reader'))")
    take(browser, "#player", folder / f"step-{scheme}.png", WIDE)


def take(browser: Any, selector: str, path: Path, width: int) -> None:
    """A picture of some elements of the page, with a margin, in which the colours of marks stay as they are.

    Raises ValueError if there is none of the elements.
    """
    frame = browser.execute_script(FRAME, selector)
    if not frame["height"]:
        raise ValueError(f"{browser.current_url} has no {selector}")
    top = max(0.0, frame["y"] - MARGIN)
    clip = {"x": 0, "y": top, "width": width, "height": frame["height"] + frame["y"] - top + MARGIN // 2, "scale": 1}
    told = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    picture = Image.open(io.BytesIO(base64.b64decode(told["data"]))).convert("RGB")
    fewer_colours(picture, [rgb(colour) for colour in browser.execute_script(COLOURS_OF, MARKS)]).save(
        path, optimize=True
    )
    print(path)


def fewer_colours(picture: Image.Image, marks: Sequence[tuple[int, ...]]) -> Image.Image:
    """The picture in the colours of the marks and its most frequent ones; others become the nearest of them."""
    colours = picture.getcolors(picture.width * picture.height) or ()
    frequent = dict.fromkeys([*marks, *(colour for _, colour in sorted(colours, reverse=True))])
    kept = list(frequent)[:COLOURS]
    # quantize() looks at the upper bits of a colour only, and would mix two that are close.
    nearest = {colour: min(range(len(kept)), key=lambda at: math.dist(colour, kept[at])) for _, colour in colours}
    parts = picture.tobytes()
    pixels = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    fewer = Image.frombytes("P", picture.size, bytes(nearest[pixel] for pixel in pixels))
    fewer.putpalette([part for colour in kept for part in colour])
    return fewer


def rgb(colour: str) -> tuple[int, ...]:
    """Of #rrggbb."""
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
