"""DuckDB: SQL on a Parquet file, of which it requests only the parts that a query needs, by ranges."""

import hashlib
import os
import re
import sys
from pathlib import Path

import pytest

from tests.conformance.server import Start

from .programs import Completed, run

EXTENSION = pytest.importorskip("duckdb_extension_httpfs", reason="duckdb-extension-httpfs is not installed")
(HTTPFS,) = Path(EXTENSION.__file__).parent.glob("extensions/*/httpfs.duckdb_extension")
ROWS = 100_000
MD5 = hashlib.md5(b"54321").hexdigest()
SCRIPT = """
import sys, duckdb
extension, *statements = sys.argv[1:]
connection = duckdb.connect()
connection.load_extension(extension)
for statement in statements:
    result = connection.execute(statement).fetchall()
print(result)
"""


async def query(*statements: str) -> Completed:
    """Runs queries one after the other on one connection, and returns the result of the last."""
    done = await run(sys.executable, "-c", SCRIPT, str(HTTPFS), *statements)
    assert done.status == 0, done.errors
    return done


@pytest.fixture(scope="session")
async def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """words.parquet: numbers from 0, and beside each the MD5 of it."""
    root = tmp_path_factory.mktemp("parquet")
    select = f"SELECT n, md5(n::VARCHAR) AS word FROM range({ROWS}) AS t(n)"
    await query(f"COPY ({select}) TO '{root}/words.parquet' (FORMAT parquet, ROW_GROUP_SIZE 10000)")
    os.utime(root / "words.parquet", (1_600_000_000, 1_600_000_000))
    return root


async def test_what_a_query_needs(root: Path, start: Start) -> None:
    async with start(root=root) as server:
        table = f"'{server.url}/words.parquet'"
        done = await query(f"SELECT count(*), sum(n), (SELECT word FROM {table} WHERE n = 54321) FROM {table}")
    assert done.output.decode().strip() == f"[({ROWS}, {ROWS * (ROWS - 1) // 2}, '{MD5}')]"
    parts = re.findall(r'"GET /words.parquet HTTP/1.1" (\d+) (\d+) ', server.log.read_text())
    assert {status for status, _ in parts} == {"206"}
    assert sum(int(size) for _, size in parts) < (root / "words.parquet").stat().st_size


async def test_every_byte(root: Path, start: Start) -> None:
    everything = "SELECT md5(string_agg(n || word, '' ORDER BY n)) FROM '{}/words.parquet'"
    async with start(root=root) as server:
        assert (await query(everything.format(server.url))).output == (await query(everything.format(root))).output
