"""English."""

from typing import Final

LANGUAGE: Final = "en"
CLIENTS: Final = ("slow sender", "slow reader", "ordinary client")
PLAYS: Final = (
    "sends the head of one request in {pieces} pieces, one every {pause} ms",
    "requests a file of {size} MiB, and reads {read} KiB every {pause} ms",
    "requests {pages} pages, each {pause} ms after the last response",
)
DESIGNS: Final = {
    "fixed": "one fixed page, one client at a time",
    "single": "one client at a time",
    "thread": "a thread for each client",
    "process": "a process for each client",
    "gevent": "a greenlet for each client",
    "epoll": "one thread; epoll reports which sockets are ready",
    "epoll-thread": "epoll for the sockets, threads for the disk",
    "async": "asyncio on uvloop, with a cache",
    "async-uncached": "asyncio on uvloop, without a cache",
    "async-asyncio": "asyncio's own loop, with a cache",
}
KINDS: Final = {
    "accept": "accepts a connection",
    "head": "parses a request head",
    "locate": "maps the request to a file name",
    "find": "opens the file on the disk",
    "read": "reads from the file",
    "send": "sends",
    "wait": "waits for clients",
    "between": "waits for clients, or works in its own code",
    "run": "has the thread",
    "connect": "connects",
    "request": "sends its request",
    "await": "waits for the response",
    "receive": "receives the response",
    "pause": "pauses",
}
LANES: Final = {
    "main": "main thread",
    "loop": "event loop",
    "thread": "thread {number}",
    "child": "process {number}",
    "greenlet": "greenlet {number}",
    "pool": "disk thread {number}",
    "pools": "pool of disk threads",
    "cache": "cache check",
    "running": "running greenlet",
}
WAITS: Final = {
    "anything": "idle until any client needs something",
    "request": "blocked in recv(): the client has sent nothing more",
    "reader": "blocked in send(): the client has not read what was sent before",
    "turn": "the client has not read what was sent before, or another greenlet has the thread",
    "disk": "blocked: the disk",
    "lock": "waits for the interpreter's lock (GIL), or for a core",
    "core": "waits for a core",
    "holds": "has the thread, but is blocked: no other greenlet can run",
}
TEXT: Final = {
    "title": "PWB: how each design waits",
    "heading": "Three clients, and how each design waits for them",
    "lead": "Every design serves the same three clients, on the same time axis. Each row is a thread, a process, a "
    "greenlet or an event loop; the thin strip below a bar shows for which client it works. Solid: it runs on a core. "
    "Hatched: it is blocked, in the middle of a step. Dotted: it waits for the interpreter's lock or a core. "
    "Thin line: it waits for clients, and uses nothing.",
    "kinds": "Steps",
    "states": "States",
    "clients": "Clients",
    "running": "runs: as long as its CPU time",
    "blocked": "blocked",
    "lock": "waits for the interpreter's lock (GIL), or for a core",
    "idle": "waits for clients; a client: pauses",
    "table": "Milliseconds from a client's connect until it has its last byte",
    "scroll_table": "Table of how long each client took",
    "design": "design",
    "step_heading": "Step by step",
    "chart": "Timeline of {design}",
    "shortcuts": "← → one step · ↑ ↓ one step of the same client · + - zoom · 0 all · drag to move",
    "choose": "Design",
    "previous": "Previous step",
    "next": "Next step",
    "zoom_in": "Zoom in",
    "zoom_out": "Zoom out",
    "zoom_all": "Show all",
    "scrubber": "Step",
    "position": "Step {number} of {count}, at {begin} ms",
    "does": "{lane}: {does}",
    "does_for": "{lane}: {does}, for the {client}",
    "client_does": "{client}: {does}",
    "took": "{duration} ms, all of it running",
    "took_waiting": "{duration} ms: {cpu} ms of CPU time, {waiting} ms waiting",
    "took_client": "{duration} ms",
    "bytes": "{bytes} bytes",
    "source": "The design: {file}",
    "shared": "Called by it: {name}(), in {file}",
    "in_design": "The line of the design itself runs.",
    "not_pwb": "No line of PWB runs: the event loop waits, or works in its own code.",
    "started": "This lane runs shared code only; the line of the whole idea has started it.",
    "idea": "the whole idea",
    "now": "runs now",
    "all_heading": "All designs",
    "step_through": "Step through {design}",
    "noscript": "The pictures need JavaScript; the page loads nothing from a network.",
    "conditions": "{system}, {python}, {cores} cores. The disk was slowed down: {delay}. To play it again:",
    "perfetto": "trace.json beside this page opens in Perfetto (ui.perfetto.dev).",
    "ms": "{number} ms",
}
