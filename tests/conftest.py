"""The fixtures of the suite and of the tests with real clients: the served folder, and the designs as processes."""

import re
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import tree
from tests.conformance.columns import has_no_meaning
from tests.conformance.designs import COLUMNS, DESIGNS, REFERENCE, Design
from tests.conformance.server import Server, Start, running
from tests.short_run import leaves_out

LOG_LINE = re.compile(
    rb'(?:[0-9a-f.:]+|-) - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "[ !#-\[\]-~\\]*" \d{3} \d+ '
    rb'"[ !#-\[\]-~\\]*" "[ !#-\[\]-~\\]*"'
)


@pytest.fixture(scope="session", autouse=True)
def signals() -> None:
    """SIGINT and SIGHUP have their default actions.

    A shell that starts us in the background ignores SIGINT, and nohup(1) ignores SIGHUP; every server that we start would
    inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def descriptors() -> None:
    """Raises the limit on descriptors: many clients at once need many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.fixture(scope="session")
def served_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of tree.py, which no test changes."""
    root = tree.build(tmp_path_factory.mktemp("world"))
    yield root
    (root / "locked").chmod(0o755)  # so that it can be deleted
    for name in ("30m.bin", "5g.bin"):
        (root / name).unlink()


@pytest.fixture(scope="session", params=(*DESIGNS, *COLUMNS), ids=lambda design: design.name)
def design(request: pytest.FixtureRequest) -> Design:
    """Each design in turn; pytest runs the tests of one design together."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
async def server(design: Design, served_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The design with its default options, one server for the whole session."""
    async with running(design, served_root, log_dir=tmp_path_factory.mktemp(design.name)) as server:
        yield server
    check_log(server.log)


@pytest.fixture(scope="session")
async def reference(served_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """The reference design with its default options."""
    async with running(REFERENCE, served_root, log_dir=tmp_path_factory.mktemp("reference")) as server:
        yield server


@pytest.fixture
def start(design: Design, served_root: Path, tmp_path: Path) -> Start:
    """Starts the design with options of its own: `async with start("--grace-period", "1") as server`."""

    def begin(*options: str, root: Path = served_root, **more: Any) -> AbstractAsyncContextManager[Server]:
        return running(design, root, *options, log_dir=tmp_path, **more)

    return begin


def check_log(log: Path) -> None:
    """Checks that every line has the form of the log (hazard G1); "-" is an unknown client address."""
    for line in log.read_bytes().splitlines():
        assert LOG_LINE.fullmatch(line), line


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--exhaustive", action="store_true", help="leave out nothing (tests/short_run.py has the list)")
    parser.addoption("--remaining", action="store_true", help="run only the tests that a short run leaves out")


def pytest_configure(config: pytest.Config) -> None:
    """Makes a run that is given files or tests by name exhaustive."""
    if hasattr(config, "workerinput"):  # a process of pytest-xdist
        config.option.exhaustive = config.workerinput["exhaustive"]
    elif config.args_source is pytest.Config.ArgsSource.ARGS:
        config.option.exhaustive = True


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hands the decision to a process of pytest-xdist, which parses the command line by itself."""
    node.workerinput["exhaustive"] = node.config.option.exhaustive


def pytest_report_header(config: pytest.Config) -> str:
    if config.option.remaining:
        return "run: what a short run leaves out"
    return "run: " + ("exhaustive" if config.option.exhaustive else "short (--exhaustive leaves out nothing)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Removes the tests that have no meaning in a column, and deselects those that are for another run."""
    items[:] = [item for item in items if not has_no_meaning(item)]
    if config.option.remaining or not config.option.exhaustive:
        selected = [item for item in items if leaves_out(item) == config.option.remaining]
        config.hook.pytest_deselected(items=[item for item in items if leaves_out(item) != config.option.remaining])
        items[:] = selected
