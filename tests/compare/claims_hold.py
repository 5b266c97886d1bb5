"""Whether the claims of one run of `compare` hold in others: python -m tests.compare.claims_hold FIRST.json OTHERS.json...

A claim holds in another run if the median ratio of its two designs is on the same side there. Prints every claim that
does not hold everywhere, with the ratios of the other runs, and the share of all checks that failed.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from pwb_legacy.compare.measure.results import Results
from pwb_legacy.compare.report import paired
from pwb_legacy.compare.report.claims import MORE_IS_BETTER, Claim, figures, verdict


def read(path: Path) -> Results:
    return Results.from_json(path.read_text("utf-8"))


def ratio(claim: Claim, results: Results) -> float | None:
    """How many times better the winner is in another run; below 1: worse. None: not both of them were measured."""
    better, worse = (figures(results, name, claim.scenario, claim.measure) for name in (claim.winner, claim.loser))
    if claim.measure not in MORE_IS_BETTER:
        better, worse = worse, better
    ratios = [paired.ratio(better[place], worse[place]) for place in better.keys() & worse.keys()]
    return median(ratios) if ratios else None


def failures(claims: Sequence[Claim], others: Sequence[Results]) -> dict[str, list[float]]:
    """The claims that do not hold everywhere, each with the ratios in the other runs."""
    found = {}
    for claim in claims:
        ratios = [one for other in others if (one := ratio(claim, other)) is not None]
        if any(one <= 1 for one in ratios):
            found[f"{claim.scenario}, {claim.measure}: {claim.winner} before {claim.loser}, {claim.ratio}"] = ratios
    return found


def main(first: Path, *others: Path) -> None:
    """Prints the claims that do not hold, and how many checks failed."""
    claims = verdict(read(first)).claims()
    turned = failures(claims, list(map(read, others)))
    for claim, ratios in turned.items():
        print(claim, "->", ", ".join(f"{one:.2f}" for one in ratios))
    failed = sum(one <= 1 for ratios in turned.values() for one in ratios)
    print(f"{failed} of {len(claims) * len(others)} checks failed")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
