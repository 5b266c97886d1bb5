"""A process that makes a few fetches and ends: `python -P -m pwb_async.server.fetch_process`.

A server uses it where no event loop runs yet, or where children will be forked: obstore's runtime survives no fork. It
reads a pickled client and calls from standard input, and writes the pickled results, or the reasons of failures, to
standard output.
"""

import asyncio
import os
import pickle
import sys
from typing import Any

from pwb_async.storage.deferred import FetchError
from pwb_async.storage.object_store.client import StoreClient


async def _call(client: StoreClient, method: str, arguments: tuple[Any, ...]) -> object:
    try:
        async with asyncio.timeout(client.timeout):
            return await client.call(method, arguments)
    except TimeoutError:
        return FetchError("the object store does not answer")
    except FetchError as failure:
        return failure


async def _call_all(client: StoreClient, calls: list[tuple[str, tuple[Any, ...]]]) -> list[object]:
    return await asyncio.gather(*(_call(client, *each) for each in calls))


def main() -> None:
    """Make the fetches that standard input has."""
    url, timeout, calls = pickle.load(sys.stdin.buffer)  # noqa: S301  # of the server that has started this process
    results = asyncio.run(_call_all(StoreClient(url, timeout), calls))
    pickle.dump(results, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    os._exit(0)  # obstore's threads abort a process in which Python ends (9 of 60 times, obstore 0.12)


if __name__ == "__main__":
    main()
