"""The command `pwb compress`: its options, what it prints, and its exit statuses.

Exit status 0: all neighbours are there and current; 1: with --check some are not, or some could not be written;
2: wrong use; 130: stopped by Ctrl-C.
"""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from typing import Final

import click

from pwb_async.config.click_types import ClickType
from pwb_async.config.command_line import describe
from pwb_async.config.help import HelpfulCommand
from pwb_async.config.option_types import PATH, TYPE
from pwb_async.config.parsers import TypeRule
from pwb_async.core.semantics.codings import CODINGS
from pwb_async.core.site.media_types import MediaTypes
from pwb_async.output.printing import print_error, printable, report_lost_output
from pwb_async.runtime.processors import processors

from .neighbours import Outcome, Result, Task, find_orphans, find_tasks, process

PROGRAM: Final = "pwb compress"
EXAMPLES: Final = (
    ("pwb compress ~/site", "write app.js.br, app.js.zst and app.js.gz beside app.js, and so on"),
    ("pwb compress ~/site --check", "write nothing; exit status 1 if any is missing or stale"),
    ("pwb compress ~/site --coding br --coding gzip", "only these two"),
)
_QUEUED: Final = 4
"""Tasks for each process that are given to it ahead of time."""


@click.command(cls=HelpfulCommand, examples=EXAMPLES)
@click.argument("root", type=ClickType(PATH), required=False)
@click.option(
    "--check", "check_only", is_flag=True, help="Write nothing; exit status 1 if anything is missing or stale."
)
@click.option(
    "--coding",
    "codings",
    multiple=True,
    type=click.Choice([coding.decode() for coding in CODINGS]),
    help="Coding to write; repeatable.  [default: all]",
)
@click.option(
    "--type", "rules", multiple=True, type=ClickType(TYPE), help="Media type of files, as for serving; repeatable."
)
@click.option("--jobs", type=click.IntRange(1), metavar="COUNT", help="Processes.  [default: one for each processor]")
@click.option("--prune", is_flag=True, help="Remove coded files whose file is gone, such as app.js.br without app.js.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors, and with --check what is missing or stale.")
def compress(
    root: str | None,
    check_only: bool,
    codings: tuple[str, ...],
    rules: tuple[TypeRule, ...],
    jobs: int | None,
    prune: bool,
    quiet: bool,
) -> None:
    """Compress the files beneath the directory ROOT ahead of time, as small as possible, for a server that sends them.

    Only files that become at least 5 % smaller get neighbours, which have their times. Stale neighbours are replaced or
    removed.
    """
    if root is None:
        raise click.UsageError(f"ROOT is missing: {PROGRAM} DIRECTORY")
    began = time.monotonic()
    chosen = tuple(coding for coding in CODINGS if not codings or coding.decode() in codings)
    beneath = os.path.realpath(os.fsencode(root)), MediaTypes(rules), chosen
    try:
        tasks, orphans = list(find_tasks(*beneath)), list(find_orphans(*beneath))
        if not os.path.isdir(root):
            raise NotADirectoryError(20, "it is no directory", root)
    except OSError as error:
        raise click.UsageError(f"{os.fsdecode(error.filename or root)}: {error.strerror}") from None
    tasks.sort(key=lambda task: task.size, reverse=True)  # the largest first, so that no process has to wait for one
    results, failed = _process_all(tasks, jobs or processors(), write=not check_only, quiet=quiet)
    wrong = [each for each in results if each.outcome in (Outcome.WRITTEN, Outcome.REMOVED)]
    if check_only:
        for each in sorted(wrong):
            word = "stale" if each.outcome is Outcome.REMOVED or os.path.lexists(each.task.neighbour) else "missing"
            click.echo(f"{word}: {_shown(each.task.neighbour)}")
        for path in orphans if prune or not quiet else ():
            click.echo(f"orphan: {_shown(path)}")
    elif prune:
        failed += _remove(orphans)
    if not quiet:
        for line in _summary(tasks, results, check_only, time.monotonic() - began):
            click.echo(line)
        if orphans:
            end = ": --prune removes them" if not prune else " to remove" if check_only else " removed"
            click.echo(f"{_count(len(orphans), 'coded file')} without a file{end}")
    if failed or (check_only and (wrong or (prune and orphans))):
        raise click.exceptions.Exit(1)


def main() -> None:
    """Run the command with the arguments of this process."""
    try:
        status = compress.main(sys.argv[2:], PROGRAM, standalone_mode=False)
    except click.UsageError as error:
        print_error(f"{PROGRAM}: {describe(error)}")
        status = 2
    except (click.Abort, KeyboardInterrupt):
        status = 128 + signal.SIGINT
    except OSError as error:  # standard output is closed or full
        report_lost_output(PROGRAM, error)
        status = 1
    raise SystemExit(status)


def _process_all(tasks: Sequence[Task], jobs: int, *, write: bool, quiet: bool) -> tuple[list[Result], int]:
    """What has become of each neighbour, and how many could not be processed."""
    results: list[Result] = []
    failed = 0
    size, hidden = sum(task.size for task in tasks), quiet or not sys.stderr.isatty()
    with (
        # Spawned, not forked: a process with threads, as this one has by then, may not fork.
        ProcessPoolExecutor(min(jobs, len(tasks)) or 1, get_context("spawn"), _ignore_interrupt) as pool,
        click.progressbar(
            length=size, label="compressing" if write else "checking", file=sys.stderr, hidden=hidden
        ) as bar,
    ):
        try:
            for task, done in _run(pool, tasks, jobs * _QUEUED, write):
                bar.update(task.size)
                try:
                    results.append(done.result())
                except (OSError, MemoryError) as error:
                    failed += 1
                    reason = error.strerror if isinstance(error, OSError) else "not enough memory"
                    print_error(f"{PROGRAM}: {_shown(task.neighbour)}: {reason}")
        except BrokenProcessPool:
            failed += 1
            print_error(f"{PROGRAM}: a process was killed, perhaps for want of memory; --jobs 1 needs the least")
    return results, failed


def _remove(paths: Sequence[bytes]) -> int:
    """Remove files; return how many could not be."""
    failed = 0
    for path in paths:
        try:
            os.unlink(path)
        except OSError as error:
            failed += 1
            print_error(f"{PROGRAM}: {_shown(path)}: {error.strerror}")
    return failed


def _run(
    pool: ProcessPoolExecutor, tasks: Sequence[Task], queued: int, write: bool
) -> Iterator[tuple[Task, Future[Result]]]:
    """Yield each task with its result, as they end. Only some are queued, so that Ctrl-C has not to wait for all."""
    running: dict[Future[Result], Task] = {}
    waiting = iter(tasks)
    try:
        while True:
            while len(running) < queued and (task := next(waiting, None)) is not None:
                running[pool.submit(process, task, write=write)] = task
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(done), done
    except KeyboardInterrupt:
        for child in active_children():  # what they compress may take minutes
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupt() -> None:
    """Let the parent react to Ctrl-C, which a terminal sends to all."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _summary(tasks: Sequence[Task], results: Sequence[Result], check_only: bool, seconds: float) -> Iterator[str]:
    """A line for each coding, and one for all."""
    sizes = {task.path: task.size for task in tasks}
    yield f"{_count(len(sizes), 'file')} of types that are compressed, {_bytes(sum(sizes.values()))}"
    written = "to write" if check_only else "written"
    for coding in dict.fromkeys(task.coding for task in tasks):
        own = [each for each in results if each.task.coding == coding]
        counts = Counter(each.outcome for each in own)
        kept = [each for each in own if each.size]
        before, after = sum(each.task.size for each in kept), sum(each.size for each in kept)
        share = f", {_bytes(before)} -> {_bytes(after)} ({after / before:.0%})" if before else ""
        yield (
            f"  {coding.decode():5} {counts[Outcome.WRITTEN]:6,} {written}, {counts[Outcome.CURRENT]:6,} current, "
            f"{counts[Outcome.USELESS]:6,} of no use{share}"
        )
    if removed := sum(each.outcome is Outcome.REMOVED for each in results):
        yield f"{_count(removed, 'stale neighbour')} {'to remove' if check_only else 'removed'}"
    yield f"{'checked' if check_only else 'done'} in {seconds:.1f} s"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _bytes(number: int) -> str:
    for unit in ("B", "KB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000  # type: ignore[assignment]
    return f"{number:,.3g} GB"


def _shown(path: bytes) -> str:
    return printable(os.fsdecode(os.path.relpath(path)))
