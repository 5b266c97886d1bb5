"""Compares how PWB, hpack, h2 and nghttp2 read mutated blocks of HPACK, in one process.

    python -m tests.fuzz.http2_differential [--runs 100000] [--seed 1]     exit status 1 for a difference without a reason

Inputs with the same behaviour (the same verdicts of the same implementations) are counted as one class, of which the
shortest input is printed. The reasons of those that are reviewed are in tests/core/http2/oracles.py.
"""

import argparse
import random
import sys
from collections import Counter
from typing import Final

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2.hpack import INITIAL_TABLE, HPACKError
from pwb_async.core.http2.requests import RequestReader
from tests.core.http2.oracles import Difference, differences, request_differences

from .http2 import BLOCKS, WORDS
from .mutate import mutate

READER: Final = RequestReader(Limits())


def compare(blocks: list[bytes]) -> list[Difference]:
    found = [*differences(blocks)]
    try:
        request, _ = READER.read(INITIAL_TABLE, blocks[0], True)
    except HPACKError:
        return found
    return [*found, *request_differences(blocks[0], request)]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.http2_differential", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--runs", type=int, default=100_000, help="connections of one to three blocks")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    counts: Counter[Difference] = Counter()
    shortest: dict[Difference, list[bytes]] = {}
    for _ in range(arguments.runs):
        number = chance.choice((1, 1, 2, 3))
        blocks = [mutate(chance.choice(BLOCKS), chance, BLOCKS, 3, WORDS)[:4096] for _ in range(number)]
        for difference in compare(blocks):
            counts[difference] += 1
            if len(b"".join(blocks)) < len(b"".join(shortest.get(difference, [bytes(10**6)]))):
                shortest[difference] = blocks
    for difference, count in counts.most_common():
        known = "reviewed" if difference.reviewed else "WITHOUT A REASON"
        print(f"{count} {known}: {difference.oracle}: PWB: {difference.ours}, {difference.oracle}: {difference.theirs}")
        print(f"    {shortest[difference]}")
    unreviewed = sum(not difference.reviewed for difference in counts)
    print(
        f"{arguments.runs:,} connections, seed {arguments.seed}: {len(counts)} classes, {unreviewed} without a reason"
    )
    return 1 if unreviewed else 0


if __name__ == "__main__":
    sys.exit(main())
