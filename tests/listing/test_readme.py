"""README.md as HTML: what could do harm is left out, and no input takes long."""

import re
import time

import pytest

from pwb_async.listing.readme import MAX_BYTES, to_html

HARMFUL = """
<script>alert(1)</script> <svg onload=alert(1)> <iframe src=x></iframe> <form action=x><input autofocus></form>
<style>p {}</style> <div style="x" class=y id=filter onclick=q>d</div> <base href=//e.x> <meta http-equiv=refresh>
<a href="javascript:alert(1)">a</a> [b](JaVaScRiPt:alert(1)) <img src=x onerror=alert(1)> <img src=//e.x/y alt='<b onclick="z">'>
<img alt="c>d" src="data:image/png;base64,xx"> ![e](https://e.x/y) ![f](\\\\e.x/y) <object data=x></object> <link rel=stylesheet href=x>
<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>
"""


def test_nothing_harmful_is_left() -> None:
    html = to_html(HARMFUL.encode())
    tags = re.findall(r"<[^>]*>", html)
    assert not [
        tag for tag in tags if re.search(r"(?i)script|style|\bon\w+=|iframe|form|input|svg|base|meta|//|data:", tag)
    ]
    assert 'id="filter"' not in html


def test_what_people_write_is_left() -> None:
    text = b"\xef\xbb\xbf# A b!\n## A b!\n~~x~~ [c](../d?e#f) ![g](h.png)\n\n|i|j|\n|-|-:|\n|1|2|\n\n<details><summary>k</summary>l</details>\n"
    html = to_html(text)
    for expected in (
        '<h2 id="a-b">A b!</h2>',
        '<h3 id="a-b-1">A b!</h3>',
        "<s>x</s>",
        '<a href="../d?e#f" rel="noopener noreferrer">c</a>',
        '<img src="h.png" alt="g">',
        '<td align="right">2</td>',
        "<details><summary>k</summary>l</details>",
    ):
        assert expected in html


@pytest.mark.parametrize(
    "piece", [b"[", b"*", b"> ", b"`a", b"<", b"![a](", b"*a_", b"[a]:x\n", b"<div>", b"|a", b"\xff", b"\0"]
)
def test_no_input_takes_long(piece: bytes) -> None:
    began = time.process_time()
    to_html(piece * (MAX_BYTES // len(piece)))
    assert time.process_time() - began < 15
