"""python -m tests.fuzz: the core against mutated requests, with atheris or, without it, a plain mutator.

    python -m tests.fuzz --runs 1000000                     every target, a million inputs each
    python -m tests.fuzz --target connection --seed 7       one of: connection end head target ranges hpack header_list http2
    python -m tests.fuzz --engine plain --quick             no coverage guidance; the same bytes in every run

Both begin with the wire corpus of tests/core, and for HTTP/2 with the blocks of tests/fuzz/http2.py and the rows of
tests/core/http2/rfc9113.py. An input that fails is printed as a bytes literal with its traceback, and the
exit status is 1. An input that takes more than 5 seconds of processor time fails, too.
"""

import argparse
import os
import subprocess
import sys
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from . import http2, http2_frames
from .mutate import WORDS, mutants, seeds


def values() -> list[bytes]:
    """Seeds for the targets that read one value and not a whole request."""
    found: list[bytes] = []
    for wire in seeds():
        for line in wire.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower().startswith((b"range", b"if-")):
                found.append(value.strip())
    return [value for value in dict.fromkeys(found) if value]


def seeds_of(target: str) -> list[bytes]:
    if target in http2.TARGETS:
        return list(http2.BLOCKS)
    if target in http2_frames.TARGETS:
        return list(http2_frames.SEEDS)
    return values() if target == "ranges" else seeds()


def words_of(target: str) -> tuple[bytes, ...]:
    if target in http2.TARGETS:
        return http2.WORDS
    return http2_frames.WORDS if target in http2_frames.TARGETS else WORDS


def plain(name: str, runs: int, seed: int) -> tuple[int, bytes | None]:
    """Runs a target over mutants; returns how many inputs passed, and the one that failed."""
    from .targets import TARGETS, within

    target = within(TARGETS[name])
    done = 0
    for data in mutants(seed, seeds_of(name), words=words_of(name)):
        if done == runs:
            break
        try:
            target(data)
        except Exception:
            traceback.print_exc()
            return done, data
        done += 1
    return done, None


def guided(name: str, runs: int, seed: int) -> int:
    """Runs a target under atheris in a process of its own, since libFuzzer ends the process; returns its status."""
    with TemporaryDirectory(prefix="pwb-fuzz-") as folder:
        corpus, found = Path(folder, "seeds"), Path(folder, "found")
        corpus.mkdir()
        found.mkdir()
        for number, data in enumerate(seeds_of(name)):
            (corpus / f"{number:04}").write_bytes(data)
        words = Path(folder, "words")
        escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in words_of(name))
        words.write_text("".join(f'"{word}"\n' for word in escaped))
        options = (f"-runs={runs}", f"-seed={seed}", "-max_len=8192", f"-dict={words}")
        timeouts = ("-timeout=600", "-report_slow_units=600")  # of elapsed time; within() limits processor time
        quiet = ("-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={found}/")
        command = [sys.executable, "-m", "tests.fuzz.guided", name, *options, *timeouts, *quiet, str(corpus)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        status = subprocess.run(command, env=environment, check=False).returncode
        for path in sorted(found.iterdir()):
            print(f"{path.name.partition('-')[0]}: {path.read_bytes()!r}")
            status = status or 1
    return status


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    names = ("connection", "end", "head", "target", "ranges", *http2.TARGETS, *http2_frames.TARGETS)
    parser.add_argument("--target", choices=("all", *names), default="all")
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=("auto", "atheris", "plain"), default="auto")
    parser.add_argument("--quick", action="store_true", help="5,000 inputs each, without atheris")
    arguments = parser.parse_args()
    runs, engine = arguments.runs, arguments.engine
    if arguments.quick:
        runs, engine = 5_000, "plain"
    elif engine == "auto":
        engine = "atheris" if find_spec("atheris") else "plain"
    failed = 0
    for name in names if arguments.target == "all" else (arguments.target,):
        start = time.monotonic()
        if engine == "atheris":
            status = guided(name, runs, arguments.seed)
            failed += status != 0
            outcome = "no exception, no hang" if not status else f"FAILED with status {status}"
        else:
            done, data = plain(name, runs, arguments.seed)
            failed += data is not None
            outcome = "no exception, no hang" if data is None else f"FAILED at number {done}: {data!r}"
        took = time.monotonic() - start
        print(f"{name}: {runs:,} inputs by {engine}, seed {arguments.seed}, {took:.0f} s: {outcome}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
