"""Three nodes on one bucket behind HAProxy, as docs/nodes.md shows them, under load: what clients notice.

    python -m tests.stress.nodes [--quick]

The configuration is docs/deploy/haproxy.cfg as it is. A rolling restart, three nodes replaced by SIGUSR2, and a new release of
the site, again and again until there were enough requests; then, one after the other, a node that is killed, one whose store
is away, and one that stands still. Clients ask for a page and for the asset that it names, and check both by the
digest in the asset's name. Bars: no request fails, and each page has the asset that it names.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.nodes.bucket import ROOT, Bucket, bucket
from tests.nodes.cluster import HAProxy, Node, nodes
from tests.nodes.load import Load

from .harness import Report, percentile, raise_descriptor_limit, sigterm_as_interrupt

OPTIONS = ("--shutdown-delay", "4s", "--store-ttl", "2s", "--disk-timeout", "5s", "--workers", "1")
RATE = 2000.0


class Cluster:
    """The nodes, their bucket, and HAProxy before them; how many releases there were."""

    def __init__(self, servers: list[Node], store: Bucket, haproxy: HAProxy) -> None:
        self.servers, self.store, self.haproxy = servers, store, haproxy
        self.releases = 1

    async def roll(self) -> None:
        """Restarts each node as a service manager does."""
        for node in self.servers:
            node.signal(signal.SIGTERM)
            await self.haproxy.wait_for(node.name, "DOWN")
            await node.exited()
            await self._begin(node)

    async def replace(self) -> None:
        """Replaces the process of each node by a new one, by SIGUSR2, and that one by one that the test has started."""
        for node in self.servers:
            node.signal(signal.SIGUSR2)
            await node.exited()
            node.signal_all(signal.SIGTERM)
            await self.haproxy.wait_for(node.name, "DOWN")
            await node.ended()
            await self._begin(node)

    async def release(self) -> None:
        """Publishes the next release."""
        self.releases += 1
        await self.store.publish(self.releases)

    async def kill(self) -> None:
        """Kills a node, and starts it again when the load balancer has noticed that."""
        node = self.servers[1]
        node.kill()
        await self.haproxy.wait_for(node.name, "DOWN")
        await self._begin(node)

    async def stop_the_store(self) -> None:
        """Lets the store of a node fail for five seconds, in which a release is published."""
        proxy = self.store.proxies[0]
        proxy.fault = lambda method, target: "reset"
        await self.release()
        await asyncio.sleep(5)
        proxy.fault = lambda method, target: ""

    async def suspend(self) -> None:
        """Lets a node stand still until two seconds after the load balancer has noticed that."""
        node = self.servers[2]
        node.signal_all(signal.SIGSTOP)
        await self.haproxy.wait_for(node.name, "DOWN")
        await asyncio.sleep(2)
        node.signal_all(signal.SIGCONT)
        await self.haproxy.wait_for(node.name, "UP")

    async def _begin(self, node: Node) -> None:
        node.start()
        await node.ready()
        await self.haproxy.wait_for(node.name, "UP")


async def under_load(
    report: Report, what: str, cluster: Cluster, act: Callable[[], Awaitable[object]], requests: int
) -> None:
    """Repeats an act until there were so many requests, and reports what clients have noticed."""
    report.write(f"{what}")
    begin, times = time.monotonic(), 0
    async with Load(cluster.haproxy.address, RATE) as load:
        await load.reach(int(RATE))
        while not times or load.count < requests:
            await act()
            times += 1
        await load.reach(load.count + int(RATE))
    took = time.monotonic() - begin
    report.figure("times", times)
    report.figure("requests", load.count, requests, at_least=True)
    report.figure("requests a second", load.count / took)
    report.figure("failures", len(load.failures), 0)
    for line in load.failures[:5]:
        report.write(f"    {line}")
    for share, name in ((0.5, "p50"), (0.99, "p99"), (1.0, "slowest")):
        report.figure(name, percentile(load.latencies, share) * 1000, unit=" ms")


async def measure(report: Report, requests: int, folder: Path, store: Bucket) -> None:
    """All of it."""
    await store.publish(1)
    async with (
        nodes(folder, ROOT, *OPTIONS, variables=store.variables) as servers,
        HAProxy(servers, folder).running() as haproxy,
    ):
        for node in servers:
            await haproxy.wait_for(node.name, "UP")
        cluster = Cluster(servers, store, haproxy)
        await under_load(report, "nothing happens", cluster, lambda: asyncio.sleep(5), requests // 10)
        await under_load(report, "a rolling restart", cluster, cluster.roll, requests)
        await under_load(report, "new processes by SIGUSR2", cluster, cluster.replace, requests // 2)
        await under_load(report, "a new release", cluster, cluster.release, requests)
        await under_load(report, "a node is killed", cluster, cluster.kill, requests // 4)
        await under_load(report, "the store of a node is away", cluster, cluster.stop_the_store, requests // 10)
        await under_load(report, "a node stands still", cluster, cluster.suspend, requests // 10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the short form, a tenth of the requests")
    arguments = parser.parse_args()
    sigterm_as_interrupt()
    raise_descriptor_limit()
    report = Report()
    with TemporaryDirectory(prefix="pwb-nodes-") as name, bucket(Path(name)) as store:
        asyncio.run(measure(report, 20_000 if arguments.quick else 200_000, Path(name), store))
    return report.end()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
