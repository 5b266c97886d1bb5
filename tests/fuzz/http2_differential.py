"""Compares how PWB, hpack, h2 and nghttp2 read mutated blocks of HPACK, and sequences of frames, in one process.

    python -m tests.fuzz.http2_differential [--runs 100000] [--seed 1] [--of blocks]     or frames

Inputs with the same behaviour (the same verdicts of the same implementations) are counted as one class, of which the
shortest input is printed. The reasons of those that are reviewed are in tests/core/http2/oracles.py and sequences.py; the
exit status is 1 if there are others.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2.errors import HTTP2ConnectionError
from pwb_async.core.http2.hpack import INITIAL_TABLE
from pwb_async.core.http2.requests import RequestReader
from tests.core.http2.oracles import Difference, differences, request_differences
from tests.core.http2.sequences import PIECES, first_difference, is_reviewed
from tests.core.http2.server import H2, Nghttp2

from .http2 import BLOCKS, WORDS
from .mutate import mutate

READER: Final = RequestReader(Limits())
NAMES: Final = sorted(PIECES)


class Found(NamedTuple):
    """A difference, and the input that has it."""

    difference: Difference
    size: int
    input: object


def of_blocks(chance: random.Random) -> Iterator[Found]:
    """Compare the blocks of a connection, and the request that the first one is."""
    number = chance.choice((1, 1, 2, 3))
    blocks = [mutate(chance.choice(BLOCKS), chance, BLOCKS, 3, WORDS)[:4096] for _ in range(number)]
    found = [*differences(blocks)]
    with suppress(HTTP2ConnectionError):
        request, _ = READER.read(INITIAL_TABLE, blocks[0], True)
        found += request_differences(blocks[0], request)
    for difference in found:
        yield Found(difference, len(b"".join(blocks)), blocks)


def of_frames(chance: random.Random) -> Iterator[Found]:
    """Compare the frame that is the first error of a sequence."""
    pieces = [(chance.choice(NAMES), chance.choice((1, 3, 5, 7))) for _ in range(chance.randrange(1, 11))]
    waiting = chance.random() < 0.5
    for oracle in (H2, Nghttp2):
        step = first_difference(oracle, pieces, waiting)
        if step is not None:
            verdicts = [" ".join(sorted(code.name for code in codes)) or "fine" for codes in (step.ours, step.theirs)]
            name = oracle.__name__.lower()
            difference = Difference(name, f"{step.piece} is {verdicts[0]}", verdicts[1], is_reviewed(oracle, step))
            yield Found(difference, len(pieces), (pieces, "waiting" if waiting else ""))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.http2_differential", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--of", choices=("blocks", "frames"), default="blocks")
    parser.add_argument(
        "--runs", type=int, default=100_000, help="connections of one to three blocks, or of up to ten frames"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    compare = of_blocks if arguments.of == "blocks" else of_frames
    counts: Counter[Difference] = Counter()
    shortest: dict[Difference, Found] = {}
    for _ in range(arguments.runs):
        for found in compare(chance):
            counts[found.difference] += 1
            if found.difference not in shortest or found.size < shortest[found.difference].size:
                shortest[found.difference] = found
    for difference, count in counts.most_common():
        known = "reviewed" if difference.reviewed else "WITHOUT A REASON"
        print(f"{count} {known}: PWB: {difference.ours}, {difference.oracle}: {difference.theirs}")
        print(f"    {shortest[difference].input}")
    unreviewed = sum(not difference.reviewed for difference in counts)
    print(
        f"{arguments.runs:,} connections, seed {arguments.seed}: {len(counts)} classes, {unreviewed} without a reason"
    )
    return 1 if unreviewed else 0


if __name__ == "__main__":
    sys.exit(main())
