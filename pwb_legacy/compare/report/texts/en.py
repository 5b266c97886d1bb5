"""The English catalogue: every sentence and label of the verdict, the page and the table, as templates.

words.py fills them in.
"""

from collections.abc import Mapping
from typing import Final

from . import en_curves, en_terminal

LANGUAGE: Final = "en"

SCENARIOS: Final[Mapping[str, tuple[str, str]]] = {
    "crowd": (
        "Many idle connections",
        "What a client costs that only stays connected: memory, and in some designs a thread or a process. Idle "
        "clients: {idle}. Meanwhile {clients} other clients ask for a page.",
    ),
    "short": (
        "Short connections",
        "As in the book, each request has a connection of its own: what it costs to accept a client.",
    ),
    "kept": (
        "Kept connections",
        "The same page over and over, on connections that stay open: what a response costs when nothing else does.",
    ),
    "many": (
        "Many files",
        "Each request asks for another file, at a fixed rate: what it costs to find a file, and what a cache saves.",
    ),
    "large": (
        "One large file to many",
        "{clients} clients fetch a large file at the same time: what it costs to move many bytes.",
    ),
    "slow-heads": (
        "Slow senders",
        "Half-sent requests that never end. Does a server that waits for them serve the other clients meanwhile?",
    ),
    "slow-readers": (
        "Slow readers",
        "Clients that read a large file a little at a time. Do the others, who ask for a small page, have to wait for "
        "them?",
    ),
    "burst": (
        "A burst of connects",
        "{clients} clients connect at the same moment, for one request each: how long do the last ones wait?",
    ),
    "vanishing": (
        "Clients that vanish",
        "Clients ask for a large file and reset the connection: the work for them is lost. What does it cost "
        "the others?",
    ),
    "slow-disk": (
        "A slow file",
        "One of {files} files is on a disk that takes {delay} longer. Do the requests for the others wait, too?",
    ),
    "page-0ms": (
        "A page of small files",
        "A client fetches {files} small files: with HTTP/1.1 over {connections} connections, as browsers do, with "
        "HTTP/2 (async-http2) over one, on which it asks for all of them at once. This is the time of server and "
        "client together, as nothing is between them.",
    ),
    "page-20ms": (
        "A page of small files, 20 ms away",
        "The same {files} files, but each round trip takes {delay_ms} ms longer. With HTTP/1.1 a connection waits "
        "that long for each file, with HTTP/2 all files wait together.",
    ),
    "page-100ms": (
        "A page of small files, 100 ms away",
        "The same {files} files, with {delay_ms} ms for each round trip, as from another continent. The path has no "
        "bandwidth limit, no slow start and no packet loss, all of which hurt a single connection more than "
        "{connections}.",
    ),
    "replay": (
        "Replay",
        "What real clients once asked for, at {speed:g} times their pace: {asked:,} of {recorded:,} requests, in "
        "{seconds:.0f} s.",
    ),
}
"""Title, and what can be seen in it, with the scenario's details."""

MEASURES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "page_ms": ("Time until the page is complete", "page ms", "ms", "ms"),
    "rate": ("Requests a second", "requests/s", "", "/s"),
    "p50_ms": ("Half of the requests wait at most", "p50 ms", "ms", "p50"),
    "p90_ms": ("90 of 100 requests wait at most", "p90 ms", "ms", "p90"),
    "p99_ms": ("99 of 100 requests wait at most", "p99 ms", "ms", "p99"),
    "cpu_us": ("CPU time for a request", "CPU µs", "µs", "µs"),
    "memory_kib": ("Memory of all its processes", "MiB", "MiB", "MiB"),
    "memory_per_connection_kib": ("Memory for an idle connection", "KiB per idle", "KiB", "KiB"),
    "threads": ("Threads", "threads", "", ""),
    "processes": ("Processes", "processes", "", ""),
    "switches": ("Context switches for a request", "context switches", "", ""),
    "system_calls": ("System calls for a request", "system calls (n = 1)", "", ""),
}
"""Title of a chart, head of a column, unit in a title, unit in the terminal's table."""

FAMILIES: Final[Mapping[str, str]] = {
    "one": "one client at a time",
    "each": "a thread, process or greenlet waits for each client",
    "loop": "epoll reports which clients are ready",
    "async": "an asyncio event loop",
    "line": "another server, for reference",
}
"""How the designs wait."""

DESIGNS: Final[Mapping[str, str]] = {}
"""The results themselves have English titles of the designs."""

TEXTS: Final[Mapping[str, str]] = {
    # The verdict. winners, losers: names with their figures; tie: empty, or that they cannot be told apart.
    "finding": "{subjects}: {parts}.",
    "subject": "{titles}, {measure}",
    "subject.on_1": "{titles}, {measure}, on one core",
    "subject.on_cores": "{titles}, {measure}, on {cores} cores",
    "part": "; ",
    "series.pages": "A page of small files",
    "series": "at {ms} ms, {parts}",
    "most.first": "most with {winners}{tie}: {ratio} times {loser} ({evidence})",
    "most.last": "fewest with {losers}{tie}: {winner} has {ratio} times that ({evidence})",
    "least.first": "least with {winners}{tie}: {loser} has {ratio} times that ({evidence})",
    "least.last": "most with {losers}{tie}: {ratio} times {winner} ({evidence})",
    "most.some": "the order cannot be told, but {winners} has {ratio} times as many as {losers} ({evidence})",
    "least.some": "the order cannot be told, but {losers} has {ratio} times as much as {winners} ({evidence})",
    "beyond": "more than a thousand",
    "tie": ", which cannot be told apart",
    "tie.some": ", of which not all can be told apart",
    "undecided": "{rounds} cannot tell the designs apart",
    "undecided.one_round": "one round tells only factors of ten, and there is none",
    "disturbed": "{designs} left out, because other programs had more than {share:.0%} of the cores' time",
    "middle": "{low} to {high}; ahead in {ahead} of {rounds}",
    "silent": "{designs} answered no request at all",
    "rounds.1": "one round",
    "rounds": "{n} rounds",
    "runs": "{n} runs",
    "failures": "Requests that failed: {parts}.",
    "failures.part": "{design} {failures:,} of {requests:,} ({scenario})",
    "failures.none": "None of {requests:,} requests failed.",
    "failures.few": "Of {requests:,} requests at most one in a thousand failed, with each design in each scenario.",
    "limited": (
        "{scenario}: the load generator was busier than {designs}, so these could have served more requests a second."
    ),
    "scaling": "From {few} core to {many}: {parts}.",
    "scaling.more": "{design} serves {ratio} times as many requests ({evidence})",
    "scaling.fewer": "{design} serves fewer, {ratio} times as many ({evidence})",
    "scaling.same": "no difference that {rounds} could tell with {designs}",
    "lock": (
        "Threads of one interpreter share its lock, so only one of them runs Python at a time, and a further core "
        "brings thread nothing; each child of process has an interpreter of its own."
    ),
    "and": " and ",
    "comma": ", ",
    "to": "{least} to {most}",
    "between": "{least}–{most}",
    "value.of": "{value} (n={n:,})",
    # Conditions of a run.
    "about.PWB": "PWB",
    "about.command": "Command",
    "about.date": "Date",
    "about.machine": "Machine",
    "about.machine.is": "{cpu}, {cores} cores, {gib:,.0f} GiB",
    "about.system": "System",
    "about.python": "Python",
    "about.cores": "Cores",
    "about.cores.are": "the server {servers}, the load generator {load}",
    "about.cores.several": "the server {servers} in turn, the load generator {load}",
    "about.cores.core": "core {cores}",
    "about.cores.or": " or ",
    "about.cpu_time": "CPU time",
    "about.cpu_time.control group": "of all processes, by the kernel's control groups: no child is missed",
    "about.cpu_time.process tree": "of all processes, from /proc: what ended children used is in ticks of 10 ms",
    "about.load": "Load",
    "about.load.own": "the laboratory's own generator, {connections} busy connections unless the scenario differs",
    "about.load.wrk": "wrk in closed loops, {connections} busy connections unless the scenario differs",
    "about.closed": "Closed loop",
    "about.closed.is": (
        "{scenarios}: each client asks again when it has its response. It shows how much a server can do. It does not "
        "show how long clients wait: while a server stalls no request is sent, so few requests see it, and the "
        "waits are little more than clients divided by requests a second."
    ),
    "about.open": "Open loop",
    "about.open.is": (
        "{scenarios}: requests are sent at a fixed rate, at random moments, whatever the server does, and a wait "
        "counts from the moment when the request was due. The rate is half of what the slowest design could serve in "
        "this run over {clients} connections, with nothing in its way, so that all can serve it; and at most {most:,} "
        "a second."
    ),
    "about.open.one": "{scenario} {rate}/s",
    "about.open.slowest": "{scenario} {rate}/s ({design} could serve {capacity}/s)",
    "about.rounds": "Rounds",
    "about.rounds.are": "{rounds}, each of {seconds:g} s for a measurement; seed {seed}",
    "about.site": "Site",
    "about.site.made": (
        "made for this run: a page of 1 KiB, {pages:,} files of {kib} KiB on average, one of {mib} MiB"
    ),
    "about.site.found": (
        "{root}: {files:,} files, of which {drawn:,} are asked for; the small page is {page} ({page_size:,} bytes), "
        "the large file {large} ({large_size:,} bytes)"
    ),
    "about.runs": "Runs",
    "about.runs.are": "{n} runs joined, on {machines}; the other conditions are those of the first",
    "about.runs.machine": "{n} times {cpu} with {cores} cores",
    "remark.one_core": "There is one core only: the load generator took time from the servers.",
    "remark.shared_core": (
        "On {cores} cores the servers shared core {load} with the load generator: what they do there is less than "
        "they could."
    ),
    "remark.busy": "The machine had other work when this began: a load average of {load:.1f}.",
    "remark.disturbed": "Other programs had {share:.0%} of the time of the cores that were measured on.",
    "remark.few_rounds": (
        "{rounds}: a difference is claimed only where it is large in each of them, with one round a factor of ten."
    ),
    "remark.no_page": "The page could not be drawn: {why}.",
    # Reasons for a figure that is not there.
    "missing.too_few": "too few requests",
    "missing.no_response": "no response",
    "missing.keeps_none": "keeps no connection",
    "missing.threads_end": "ends with its threads",
    "missing.below_resolution": "too small to measure",
    "missing.not_measured": "not measured",
    "missing.single_run": "counted in one run only",
    # Designs under other interpreters, and other servers.
    "design.python.on": "{version}, GIL on",
    "design.python.off": "{version}, GIL off",
    "design.reference": "for reference: not a design of PWB, and no claim is about it",
    "design.other": (
        "another server: of {asked} requests it answers {unlike} with another status or other content than PWB"
    ),
    # Notes below a scenario.
    "note.not_asked": "{design} was not measured: the run was interrupted before.",
    "note.failed": "{design} could not be measured: {why}",
    "note.silent": "{design} answered no request in the time of a measurement.",
    "note.limited": "* The load generator was busier than {designs}: at least so many requests a second.",
    "note.disturbed": (
        "† Drawn hollow: other programs had more than {share:.0%} of the cores' time while {designs} was measured, so "
        "requests a second and waits say little of it."
    ),
    "note.keeps_none": "{designs} ends every connection after one response: here, too, each request has a new one.",
    "note.few": "There is no p{percent} of fewer than {least:,} requests: single requests would decide it.",
    "note.in_time": (
        "Requests a second are those answered within the time of a measurement; n and failures count all that were "
        "sent in it, also those answered later, or never."
    ),
    "note.timeout": "A request that was not answered counts with the time after which its client gave up.",
    # The page.
    "page.title": "PWB: the designs side by side, {date}",
    "page.other_language": "中文",
    "page.other_language.code": "zh-CN",
    "page.heading": "The same responses, {n} ways to wait for clients",
    "page.interrupted": "The run was interrupted: what follows is what had been measured until then.",
    "page.verdict": "What the figures carry",
    "page.conditions": "What was measured, and how",
    "page.designs": "The designs. The colour shows how each waits.",
    "page.name": "name",
    "page.command": "command",
    "page.unlike": "Of {requests:,} requests to each design, {n} were not answered alike:",
    "page.alike": "All answer alike: {requests:,} requests to each design, before anything was measured, brought the "
    "same bytes.",
    "page.reading": (
        "A figure is the median over the rounds. A percentile that not every round has enough requests for is that of "
        "all their requests together; their number stands beside each percentile, and the curves are always of all. "
        "The thin line below a figure is the middle half of the rounds. Figures have as many digits as their spread "
        "allows. Where they are far apart the scale is logarithmic: points on lines, with the powers of ten marked. "
        "Requests and waits are those of the well-behaved clients. Memory is without the pages of files, which all "
        "Pythons of a machine share."
    ),
    "page.columns": "What the columns mean",
    "page.claims": (
        "A claim compares two designs within each round: the median ratio, in brackets its middle half and in how many "
        "rounds the one was ahead. Two tests decide, the paired t-test and Wilcoxon's, corrected for the number of "
        "pairs (Benjamini and Hochberg, 5 %). In an order of designs, those in brackets have no decided order; the "
        "pairs of them that are decided follow."
    ),
    "page.scenarios": "{n} scenarios",
    "page.scenario": "One scenario",
    "page.order": "Best first: {tiers}",
    "page.order.of": "{measure}. {order}",
    "page.order.than": " > ",
    "page.order.tie": "({designs})",
    "page.order.within": "{order}. Within brackets: {pairs}",
    "page.order.pair": "{better} before {worse}",
    "page.more": "more is better",
    "page.less": "less is better",
    "page.logarithmic": "logarithmic",
    "page.figures": "All figures",
    "page.design": "design",
    "page.failures": "failures",
    "page.requests": "n",
    "page.waits": "How long requests wait",
    "page.waits.axis": "percent of the requests (spread out towards 100)",
    "page.no_chart": "This chart could not be drawn: {why}",
    "page.again": "Measured again:",
    "page.files": "Every round is in compare.json, and report draws this page from it again:",
    # A lesson, and what can be saved.
    "lesson.tools": "For a lesson",
    "lesson.guess_first": "Guess first",
    "lesson.slides": "Slides",
    "lesson.guess": "{name}: your guess",
    "lesson.guess.of": "Guess the figures of some designs, at least of one:",
    "lesson.show": "Show",
    "lesson.show_all": "Show all",
    "lesson.hidden": "The findings are hidden until all charts have been guessed.",
    "lesson.result": "{name}: guess {guess}, measured {measured}; {times}",
    "lesson.times": "{times} times apart",
    "lesson.exact": "right",
    "lesson.previous": "Previous",
    "lesson.next": "Next",
    "lesson.close": "Close (Esc)",
    "lesson.slide": "{place} of {all}",
    "save": "Save {title} as",
    "csv.low": "middle half, from",
    "csv.high": "middle half, to",
    "csv.least": "smallest",
    "csv.most": "largest",
    **en_curves.TEXTS,
    **en_terminal.TEXTS,
}
