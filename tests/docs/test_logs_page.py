"""docs/logs.md: its table has the fields of a line, with their types, and its example is such a line."""

import json
import re
import time
from pathlib import Path
from typing import Any

from pwb_async.core.events import BadRequest
from pwb_async.observability.exchange import make_exchange
from pwb_async.observability.json_format import format_json

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text()
TYPES = {str: "string", int: "number", float: "number"}


def test_the_table_and_the_example() -> None:
    first, second = format_json(make_exchange("192.0.2.1", BadRequest(400, "why", b"x"), 400, 0, time.time()))
    line: dict[str, Any] = json.loads(first + second)
    table = {
        name: types
        for names, types in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (\w+(?: or null)?) \|", PAGE, re.MULTILINE)
        for name in re.findall(r"\w+", names)
    }
    assert list(table) == list(line)
    (text,) = re.findall(r'^    (\{"time".*\n(?:     .*\n)+)', PAGE, re.MULTILINE)
    example: dict[str, Any] = json.loads(text)
    assert list(example) == [name for name in line if name != "detail"]
    for name, value in (*line.items(), *example.items()):
        assert ("null" if value is None else TYPES[type(value)]) in table[name].split(" or "), name
