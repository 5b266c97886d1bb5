"""A site in Azure's storage, as its emulator has it: `npm install azurite`, with node_modules/.bin in PATH."""

import base64
import hashlib
import hmac
import urllib.request
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from pwb_async.storage.deferred import FetchError
from pwb_async.storage.object_store.client import SLICE, UNCHANGED, StoreClient
from tests.conformance.designs import REFERENCE
from tests.conformance.peer import send_request
from tests.conformance.server import running
from tests.conformance.tree import random_bytes
from tests.conformance.wire import get

from .stores import program, started

pytestmark = pytest.mark.skipif(program("azurite-blob") is None, reason="azurite is not installed (npm: azurite)")
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account and the key of each emulator; they are no secret."""
BIG = random_bytes(2 * SLICE + 1000)
FILES = {"site/index.html": b"<p>home", "site/d/a.txt": b"a", "site/big.bin": BIG}


def put(address: str, target: str, content: bytes = b"", **fields: str) -> None:
    """Makes a container, or a blob in one. The fields are those that begin with x-ms-."""
    about = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06", **fields}
    length = str(len(content)) if content else ""
    path, _, query = target.partition("?")
    resource = f"/{ACCOUNT}/{ACCOUNT}{path}" + "".join(
        f"\n{each.replace('=', ':')}" for each in query.split("&") if each
    )
    lines = ["PUT", "", "", length, "", "application/octet-stream", "", "", "", "", "", ""]
    text = "\n".join([*lines, *(f"{name}:{about[name]}" for name in sorted(about)), resource])
    signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)).decode()
    request = urllib.request.Request(f"{address}/{ACCOUNT}{target}", content, method="PUT")
    for name, value in (*about.items(), ("Content-Type", "application/octet-stream")):
        request.add_header(name, value)
    request.add_header("Authorization", f"SharedKey {ACCOUNT}:{signature}")
    with urllib.request.urlopen(request, timeout=10) as response:
        assert response.status == 201


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An emulator with a container, whose settings are in the environment."""
    folder = str(tmp_path_factory.mktemp("azurite"))
    command = (str(program("azurite-blob")), "--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck")
    with started(*command, folder=folder) as port, pytest.MonkeyPatch.context() as patch:
        address = f"http://127.0.0.1:{port}"
        put(address, "/container?restype=container")
        for name, content in FILES.items():
            put(address, f"/container/{name}", content, **{"x-ms-blob-type": "BlockBlob"})
        patch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
        patch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
        patch.setenv("AZURE_STORAGE_ENDPOINT", f"{address}/{ACCOUNT}")
        yield


async def test_objects_and_folders(azurite: None) -> None:
    client = StoreClient("az://container/site", 5)
    status, content = await client.call("get", ("d/a.txt", ""))
    assert (status.size, content) == (1, b"a")
    assert await client.call("get", ("d/a.txt", status.etag)) == UNCHANGED
    assert await client.call("get", ("none", "")) is None
    assert await client.call("holds_any", ("d",))
    assert not await client.call("holds_any", ("none",))
    listing = await client.call("list_folder", ("",))
    assert (listing.folders, set(listing.files)) == (("d",), {"index.html", "big.bin"})
    status, first = await client.call("get", ("big.bin", ""))
    assert first + await client.call("get_slice", ("big.bin", status, 1)) == BIG[: 2 * SLICE]
    assert await client.call("get_slice", ("big.bin", status._replace(etag='"other"'), 1)) is None
    with pytest.raises(FetchError, match="no such bucket"):
        await StoreClient("az://nothing", 5).call("holds_any", ("",))


async def test_a_site(azurite: None, tmp_path: Path) -> None:
    async with running(REFERENCE, "az://container/site", "--browse", log_dir=tmp_path) as server:
        assert (await send_request(server.address, get("/"))).content == b"<p>home"
        assert (await send_request(server.address, get("/big.bin"))).content == BIG
        assert b"a.txt" in (await send_request(server.address, get("/d/"))).content
        assert KEY not in server.error_output() + server.log.read_text()
