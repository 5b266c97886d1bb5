"""The pictures of the laboratory: python -m tests.compare.screenshots compare.html trace.html docs/pictures

Each in light and dark, from pages that `compare` and `trace` wrote, with a real Chromium; in so few colours that all of
them weigh half a megabyte.
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
COLOURS: Final = 64
WIDE: Final = 1400
NARROW: Final = 400
SCENARIOS: Final = ("kept", "crowd", "slow-heads", "slow-disk")
FRAME: Final = """
const boxes = [...document.querySelectorAll(arguments[0])].map(one => one.getBoundingClientRect());
return {x: 0, y: Math.min(...boxes.map(box => box.top)) + scrollY,
        height: Math.max(...boxes.map(box => box.bottom)) - Math.min(...boxes.map(box => box.top))};
"""
"""From the top of the first element to the bottom of the last."""


def main(compare: Path, trace: Path, folder: Path) -> None:
    """Writes the pictures, and prints their names."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as browser:
        for scheme in ("light", "dark"):
            for width, ending in ((WIDE, ""), (NARROW, "-narrow")):
                set_viewport(browser, width, 900, scheme)
                browser.get(compare.absolute().as_uri())
                take(browser, "header", folder / f"verdict{ending}-{scheme}.png", width)
                for name in SCENARIOS if width == WIDE else SCENARIOS[:1]:
                    parts = f"[aria-labelledby={name}] :is(h2, .teaches, .charts)"
                    take(browser, parts, folder / f"{name}{ending}-{scheme}.png", width)
            set_viewport(browser, WIDE, 900, scheme)
            browser.get(trace.absolute().as_uri())
            take(browser, ".legends, main", folder / f"timeline-{scheme}.png", WIDE)


def take(browser: Any, selector: str, path: Path, width: int) -> None:
    """A picture of some elements of the page, with a margin. Raises ValueError if there is none of them."""
    frame = browser.execute_script(FRAME, selector)
    if not frame["height"]:
        raise ValueError(f"{browser.current_url} has no {selector}")
    top = max(0.0, frame["y"] - MARGIN)
    clip = {"x": 0, "y": top, "width": width, "height": frame["height"] + frame["y"] - top + MARGIN // 2, "scale": 1}
    told = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    picture = Image.open(io.BytesIO(base64.b64decode(told["data"]))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
