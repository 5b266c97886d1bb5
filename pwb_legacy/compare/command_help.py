"""What --help of the laboratory's commands has beside their options: examples, and headings for many options."""

from typing import Any, Final

from pwb_async.config.help import HelpfulCommand

EXAMPLES: Final = {
    "compare": (
        ("pwb-legacy compare --quick", "a first look at all designs, in less than a minute"),
        (
            "pwb-legacy compare --modes thread,epoll --scenarios kept",
            "two designs in one scenario, as many rounds as fit",
        ),
        ("pwb-legacy compare --cores 1,2 --out cores", "what a second core brings to each design"),
        ("pwb-legacy compare ~/site --replay access.log", "the requests of a log, on the files that it is about"),
    ),
    "report": (
        ("pwb-legacy report compare.json", "draw the page of a run again"),
        ("pwb-legacy report */compare.json --out class", "one page of the runs of a whole class"),
    ),
    "diff": (
        ("pwb-legacy diff", "all designs, requests that are built in"),
        ("pwb-legacy diff ~/site --modes thread,epoll --corpus requests.txt", "two designs, your files and requests"),
    ),
    "trace": (
        ("pwb-legacy trace", "the book's seven designs, and async"),
        ("pwb-legacy trace --modes thread,gevent --out lesson", "two designs, into the folder lesson"),
    ),
    "live": (
        ("pwb-legacy live", "all designs; the address of the page is printed"),
        ("pwb-legacy live --modes single,thread,epoll --lang zh", "three designs, in Chinese"),
    ),
}
HEADINGS: Final = {
    "compare": {
        "What is compared": ("modes", "also", "python", "cores", "scenarios", "sweep", "replay", "speed"),
        "How it is measured": ("quick", "rounds", "duration", "connections", "load", "seed"),
    },
}
"""The names of the parameters under each heading."""


def helpful(command: str) -> dict[str, Any]:
    """The settings of a click command that are about its --help."""
    return {"cls": HelpfulCommand, "examples": EXAMPLES[command], "headings": HEADINGS.get(command, {})}
