"""Starts, checks and measures the peers in interleaved rounds, and ends them."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path

from .commands import Setting
from .measure import Generator, Sample, idle_memory
from .process import Server, free_port, started
from .report import Row, Table
from .servers import PEERS, Peer
from .site import Site
from .texts import make_tree
from .verify import Client, UnableError, check
from .works import WORKS, Plan, Work, get

FAILURES = (UnableError, OSError, HTTPException)  # of one peer; the others are still measured
UNLOGGED = {peer.name for peer in PEERS if peer.fixed}
PROBES = ("startup", "idle-memory")
SMALL = get("small.html")
FEW_IDLE = 200


@dataclass(frozen=True, slots=True)
class Bench:
    """The settings of one run: the site, the servers' core, the load generator, the number of rounds."""

    site: Site
    scratch: Path
    server_core: int
    generator: Generator
    rounds: int
    idle: int

    @contextmanager
    def start(self, peer: Peer, work: Work) -> Iterator["Participant"]:
        """Start a peer in the setting that the work asks for, until the block ends."""
        folder = Path(tempfile.mkdtemp(prefix=f"{peer.name}-", dir=self.scratch))
        site = make_tree(work.tree, self.scratch) if work.tree else self.site
        plan = work.plan(site, b'"0"')
        plan = plan.fixed() if peer.fixed else plan
        log = folder / "access.log" if work.log else None
        tls = bool(work.tls)
        if tls and not peer.tls:
            raise UnableError("is not measured over HTTPS")
        setting = Setting(
            site.root, free_port(), folder, log, work.cache, plan, work.workers, work.compression, tls, work.streams > 0
        )
        output = folder / "output"
        command = peer.command(setting)
        with started(command, setting.port, SMALL, self.server_core, output, tls) as server:
            if work.tagged and not peer.fixed:
                plan = work.plan(site, entity_tag(server.port, work.tagged))
            yield Participant(work, Row(peer.name, peer.title), server, plan, folder / "access.log", output)


@dataclass(slots=True)
class Participant:
    """A peer that takes part in a work: its row, its running server, and its requests.

    Its access log is in ``log`` or, if that is not there, in ``output``. It is measured at ``work``.
    """

    work: Work
    row: Row
    server: Server
    plan: Plan
    log: Path
    output: Path

    @property
    def asked(self) -> int:
        """The requests of the rounds so far."""
        return sum(sample.requests + sample.warmed for sample in self.row.samples)

    def count_log(self) -> None:
        """Add a remark if lines are missing in the access log."""
        with (self.log if self.log.exists() else self.output).open("rb") as lines:
            logged = sum(1 for _ in lines)
        if logged < 0.95 * self.asked:
            self.row.remarks.append(f"{logged:,} lines in the log for {self.asked:,} requests")


def entity_tag(port: int, path: str) -> bytes:
    """The tag that a server gives a file; UnableError when it gives none."""
    with Client(port) as client:
        tag = client.send_request(get(path)).tag
    if not tag:
        raise UnableError("sends no ETag")
    return tag


def measure_works(bench: Bench, works: Sequence[Work], peers: Sequence[Peer]) -> list[Table]:
    """Steps 2 to 4 for works that are to be compared with each other: each round measures all of them."""
    tables = [Table(work.name, work.title, "us", []) for work in works]
    with ExitStack() as stack:
        participants = []
        for work, table in zip(works, tables, strict=True):
            for peer in peers:
                try:
                    participant = stack.enter_context(bench.start(peer, work))
                    participant.row.remarks += check(participant.server.port, participant.plan, bool(work.tls))
                except FAILURES as error:
                    table.rows.append(Row(peer.name, peer.title, cannot=str(error)))
                else:
                    table.rows.append(participant.row)
                    participants.append(participant)
        for _ in range(bench.rounds):
            for participant in participants:
                if not participant.row.cannot:
                    measure_round(bench, participant)
        for participant in participants:
            participant.row.memory_bytes = participant.server.memory_bytes()
            if participant.work.log and participant.row.peer not in UNLOGGED:
                participant.count_log()
    return tables


def measure_round(bench: Bench, participant: Participant) -> None:
    """Measure one round of one peer; a peer that fails in any round has no figures at all."""
    work, plan = participant.work, participant.plan
    try:
        participant.row.samples.append(bench.generator.load(participant.server, work, plan, participant.asked))
    except FAILURES as error:
        participant.row.samples.clear()
        participant.row.cannot = str(error)


def probe(bench: Bench, name: str, peers: Sequence[Peer]) -> Table:
    """Measure start-up or idle memory: each peer alone, started again for each sample."""
    startup = name == "startup"
    rows = {peer.name: Row(peer.name, peer.title) for peer in peers}
    for _ in range(bench.rounds if startup else 1):
        for peer in peers:
            row = rows[peer.name]
            if row.cannot:
                continue
            try:
                sample = startup_time(bench, peer) if startup else idle_cost(bench, peer)
                row.samples.append(sample)
            except FAILURES as error:
                row.cannot = str(error)
    if startup:
        return Table(name, "from the start to the first answer", "ms", list(rows.values()))
    title = f"memory per idle connection, {bench.idle:,} connections"
    return Table(name, title, "bytes", list(rows.values()))


def startup_time(bench: Bench, peer: Peer) -> Sample:
    """Milliseconds from the start of the process to its first whole answer."""
    with bench.start(peer, WORKS[0]) as participant:
        return Sample(participant.server.start_seconds * 1000)


def idle_cost(bench: Bench, peer: Peer) -> Sample:
    """Bytes per idle connection; a peer that doesn't keep that many is measured with a few."""
    try:
        with bench.start(peer, WORKS[0]) as participant:
            return idle_memory(participant.server, SMALL, bench.idle)
    except FAILURES as error:
        if bench.idle <= FEW_IDLE:
            raise
        reason = str(error)
    with bench.start(peer, WORKS[0]) as participant:
        sample = idle_memory(participant.server, SMALL, FEW_IDLE)
    remark = f"measured with {FEW_IDLE} connections, since with {bench.idle}: {reason}"
    return replace(sample, remarks=[*sample.remarks, remark])
