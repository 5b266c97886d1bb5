"""The defects of the textbook's servers, L1 to L20 of docs/hazards.md: each has a test.

The name of a test ends in the codes of what it proves: test_slow_reader_gets_every_byte_l5. The test here only checks
that no defect is without one.
"""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "hazards.md"


def names() -> set[str]:
    """The defects whose codes the names of tests end in."""
    return {
        number
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
        for number in re.findall(r"_l(\d+)(?=_|$)", node.name)
    }


def test_each_defect_has_a_test_that_names_it() -> None:
    defects = set(re.findall(r"^### L(\d+)\.", PAGE.read_text(), re.MULTILINE))
    assert len(defects) == 20
    assert names() == defects
