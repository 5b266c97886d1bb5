"""The guard, the client resolver and the observers of a context: they work alike in every design."""

import re
import sys
from pathlib import Path

import pytest

from . import hooked
from .designs import DESIGNS, FIXED, Design
from .peer import send_request
from .server import running
from .wire import get

pytestmark = pytest.mark.parametrize(
    "design", [*DESIGNS, FIXED], ids=lambda design: design.name, indirect=True, scope="session"
)


async def test_guard_client_and_observers_are_alike_in_every_design(design: Design, site: Path, tmp_path: Path) -> None:
    observed = tmp_path / "observed"
    wrapper = (sys.executable, hooked.__file__, str(observed))
    requests = [
        (get("/a.txt", "X-Forwarded-For: 192.0.2.1"), "192.0.2.1", 200),
        (get("/a.txt", f"X-Forwarded-For: {hooked.REFUSED_CLIENT}"), hooked.REFUSED_CLIENT, 403),  # cached by now
        (get("/30m.bin", f"X-Forwarded-For: {hooked.REFUSED_CLIENT}", method="HEAD"), hooked.REFUSED_CLIENT, 403),
        (get("/a.txt"), "127.0.0.1", 200),
        (b"?\r\n\r\n", "127.0.0.1", 400),
    ]
    async with running(design, site, log_dir=tmp_path, wrapper=wrapper) as server:
        for request, _, status in requests:
            response = await send_request(server.address, request)
            assert response.status == status
            if status == 403 and not request.startswith(b"HEAD "):
                assert response.content == hooked.REFUSAL
    expected = sorted(f"{client} {status}" for _, client, status in requests)  # threads report in any order
    assert sorted(observed.read_text().splitlines()) == expected
    logged = re.findall(r'^(\S+) - - \[[^]]*\] "[^"]*" (\d+) ', server.log.read_text(), re.MULTILINE)
    assert sorted(map(" ".join, logged)) == expected, "the access log names the client, not the peer"
