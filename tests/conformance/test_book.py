"""The book's twenty defects (hazards, section 4): each has a test that names it, here by subject.

A test names what it proves at its end: test_slow_reader_gets_every_byte_l5. This one only sees that none is missing.
"""

import ast
import re
from pathlib import Path

DEFECTS = {
    1: "no path leads out of the site",
    2: "a request is not what one recv() returned",
    3: "bytes that are no request",
    4: "errors of the disk other than ENOENT",
    5: "send() does not send all",
    6: "a file is not read whole into memory",
    7: "an answer is complete: fields, methods, ranges, conditions",
    8: "closing with unread bytes",
    9: "an error in the accept loop does not end the server",
    10: "every wait has a deadline",
    11: "children keep no descriptor, and no zombie is left",
    12: "greenlets wait without waiting; a FIFO holds up nobody",
    13: "an edge-triggered listener is drained",
    14: "no client's socket blocks the loop, no tail is lost",
    15: "EPOLLHUP, EPOLLERR and the end of input",
    16: "two events of one client never go to two threads",
    17: "a descriptor's number belongs to the newest who has it",
    18: "threads have a bound",
    19: "backlog, IPv6, signals, no child left",
    20: "a log that fails, and what stands in it",
}


def names() -> dict[str, list[str]]:
    """Tests by the defects that their names end in."""
    found: dict[str, list[str]] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for number in re.findall(r"_l(\d+)(?=_|$)", node.name):
                    found.setdefault(number, []).append(f"{path.name}::{node.name}")
    return found


def test_each_defect_has_a_test_that_names_it() -> None:
    found = names()
    assert {int(number) for number in found} == set(DEFECTS)
