"""python -m tests.fuzz.guided TARGET [LIBFUZZER OPTIONS]: one target under atheris; `python -m tests.fuzz` starts it."""

import logging
import sys

import atheris

logging.getLogger().setLevel(logging.ERROR)  # atheris logs each module that it instruments

with atheris.instrument_imports(include=["pwb_async.core"]):
    from .targets import TARGETS, within


def main() -> None:
    name = sys.argv[1]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], within(TARGETS[name]))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
