"""The pictures of the laboratory: python -m tests.compare.screenshots compare.html trace.html docs/pictures

Each in light and dark, from pages that `compare` and `trace` wrote (one of them is enough), with a real Chromium; in so
few colours that all of them weigh half a megabyte.
"""

import base64
import io
import sys
import tempfile
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
    """A picture of some elements of the page, with a margin. Raises ValueError if there is none of them."""
    frame = browser.execute_script(FRAME, selector)
    if not frame["height"]:
        raise ValueError(f"{browser.current_url} has no {selector}")
    top = max(0.0, frame["y"] - MARGIN)
    clip = {"x": 0, "y": top, "width": width, "height": frame["height"] + frame["y"] - top + MARGIN // 2, "scale": 1}
    told = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    picture = Image.open(io.BytesIO(base64.b64decode(told["data"]))).convert("RGB")
    fewer_colours(picture).save(path, optimize=True)
    print(path)


def fewer_colours(picture: Image.Image) -> Image.Image:
    """The picture in its most frequent colours, which stay exactly as they are; others become the nearest of them.

    A vivid colour counts more than a grey: it is a mark, and a grey may be the edge of a letter.
    """
    colours = picture.getcolors(picture.width * picture.height) or ()
    frequent = sorted(colours, key=lambda one: one[0] * (1 + max(one[1]) - min(one[1])), reverse=True)[:COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in frequent for part in colour])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
