"""Three nodes on one bucket behind HAProxy with docs/deploy/haproxy.cfg, under load: what happens to a node fails no request."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conformance.peer import Peer
from tests.conformance.wire import get
from tests.interop.programs import needs
from tests.process.helpers import fetch

from .bucket import ROOT, Bucket, bucket
from .cluster import HAProxy, Node, nodes
from .load import Load
from .release import PAGES, read_page

pytestmark = needs("haproxy")
FAST: tuple[str, ...] = ("--shutdown-delay", "1s", "--store-ttl", "500ms", "--disk-timeout", "5s", "--workers", "1")
CHECK = "inter 200ms fall 2 rise 2"
RATE = 400.0


class Cluster(NamedTuple):
    """The nodes, their bucket, and HAProxy before them."""

    nodes: list[Node]
    bucket: Bucket
    haproxy: HAProxy

    def load(self) -> Load:
        """Clients of the load balancer."""
        return Load(self.haproxy.address, RATE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Bucket]:
    with bucket(tmp_path) as each:
        yield each


@pytest.fixture
async def cluster(store: Bucket, tmp_path: Path) -> AsyncIterator[Cluster]:
    await store.publish(1)
    async with (
        nodes(tmp_path, ROOT, *FAST, variables=store.variables) as started,
        HAProxy(started, tmp_path, CHECK).running() as haproxy,
    ):
        yield Cluster(started, store, haproxy)


async def test_a_rolling_restart(cluster: Cluster) -> None:
    async with cluster.load() as load:
        for node in cluster.nodes:
            await load.reach(load.count + 200)
            node.signal(signal.SIGTERM)
            await cluster.haproxy.wait_for(node.name, "DOWN")
            assert await node.exited() == 0, node.output()
            node.start()
            await cluster.haproxy.wait_for(node.name, "UP")
        await load.reach(load.count + 200)
    assert load.failures == []


async def test_new_versions(cluster: Cluster) -> None:
    """SIGUSR2 replaces the process of each node, and HAProxy notices nothing."""
    async with cluster.load() as load:
        for node in cluster.nodes:
            await load.reach(load.count + 200)
            node.signal(signal.SIGUSR2)
            assert await node.exited() == 0, node.output()
            assert cluster.haproxy.states()[node.name] == "UP"
        await load.reach(load.count + 200)
    assert load.failures == []


async def test_a_new_release(cluster: Cluster) -> None:
    """Each page has the asset that it names, before, while and after a release is published; in the end all are new."""
    async with cluster.load() as load:
        await load.reach(200)
        await cluster.bucket.publish(2)
        async with asyncio.timeout(20):
            while 2 not in load.releases:
                await asyncio.sleep(0.01)
    assert load.failures == []
    async with cluster.load() as load:
        await load.reach(100)
        async with asyncio.timeout(20):
            while load.releases != {2}:
                load.releases.clear()
                await load.reach(load.count + 100)
    assert load.failures == []


async def test_caches_keep_assets_and_ask_for_pages(cluster: Cluster) -> None:
    async with Peer(cluster.haproxy.address) as peer:
        page = await fetch(peer, PAGES[0])
        told = read_page(page.content)
        assert told is not None
        asset = await fetch(peer, told.asset)
    assert page["Cache-Control"] == "no-cache"
    assert asset["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_a_node_that_is_killed(cluster: Cluster) -> None:
    async with cluster.load() as load:
        await load.reach(200)
        cluster.nodes[1].kill()
        await cluster.haproxy.wait_for("node2", "DOWN")
        await load.reach(load.count + 200)
        cluster.nodes[1].start()
        await cluster.haproxy.wait_for("node2", "UP")
    assert load.failures == []


async def responding(servers: list[Node]) -> Node:
    """The node that is sending a response."""
    async with asyncio.timeout(10):
        while True:
            for node in servers:
                response = await node.ask_admin("/metrics")
                if response and b'pwb_connections{state="responding"} 1\n' in response.content:
                    return node


async def test_a_response_of_a_node_that_is_killed_ends_visibly(tmp_path: Path) -> None:
    """It ends before its Content-Length, so the client sees that it is not whole."""
    size = 64 << 20
    (tmp_path / "site").mkdir()
    with (tmp_path / "site/large.bin").open("wb") as file:
        file.truncate(size)
    async with (
        nodes(tmp_path, "site", *FAST) as started,
        HAProxy(started, tmp_path, CHECK).running() as haproxy,
        Peer(haproxy.address) as peer,
    ):
        await peer.send(get("/large.bin"))
        begin = await peer.read_content_start()
        (await responding(started)).kill()
        assert len(begin) + len(await peer.read_to_end_or_reset()) < size


async def test_a_node_whose_store_is_away(cluster: Cluster) -> None:
    """It serves what it has; HAProxy asks another node for what it has not."""
    async with cluster.load() as load:
        await load.reach(300)
        cluster.bucket.proxies[0].fault = lambda method, target: "reset"
        await cluster.bucket.publish(2)
        await load.reach(load.count + 800)
    assert load.failures == []
    assert load.releases == {1, 2}


async def test_a_slow_node(cluster: Cluster) -> None:
    """It is asked no more after two checks; what it has been asked for is delayed, and not lost."""
    node = cluster.nodes[2]
    async with cluster.load() as load:
        await load.reach(200)
        node.signal_all(signal.SIGSTOP)
        await cluster.haproxy.wait_for(node.name, "DOWN")
        await load.reach(load.count + 100)
        node.signal_all(signal.SIGCONT)
        await cluster.haproxy.wait_for(node.name, "UP")
    assert load.failures == []
