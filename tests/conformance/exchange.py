"""A whole conversation, from its first request to a proof of how the connection stands afterwards."""

from collections.abc import Iterable, Sequence
from typing import Final

from .peer import Peer
from .server import Server
from .wire import Answer, get, method_of

PROBE: Final = get("/marker", "Connection: close")
PROBED: Final = b"MARKER"


async def talk(
    server: Server, requests: Sequence[bytes], count: int, ends: bool, pieces: Iterable[bytes] | None = None
) -> list[Answer]:
    """Sends `requests` on one connection and returns the answers, which must be `count`.

    ends: the last answer must be the connection's last; else one more request must be answered behind it. A design
    that keeps no connection alive gives the first answer only, and ends. pieces: the requests' bytes as they are
    sent, each after the one before it has been read.
    """
    if not server.design.keeps_alive:
        count, ends = min(count, 1), True
    async with Peer(server.address) as peer:
        if pieces is None:
            await peer.send(b"".join(requests))
        else:
            try:
                await peer.send_pieces(pieces)
            except ConnectionError:
                assert ends
        answers = [await peer.answer(method_of(request)) for request in requests[:count]]
        assert len(answers) == count
        for answer in answers[:-1]:
            assert answer["Connection"] != "close"
        if ends:
            assert not answers or answers[-1]["Connection"] == "close"
            assert await peer.rest() == b"", "bytes behind the last answer"
            return answers
        assert not answers or answers[-1]["Connection"] != "close"
        await peer.send(PROBE)
        probed = await peer.answer()
        assert (probed.status, probed.content) == (200, PROBED), "the connection is out of step"
        assert await peer.rest() == b""
        return answers


def same(answers: Sequence[Answer], reference: Sequence[Answer], server: Server) -> None:
    """Byte for byte what the reference answers, with the one difference that the suite knows."""
    if server.design.keeps_alive:
        assert [answer.masked for answer in answers] == [answer.masked for answer in reference]
    else:
        assert [answer.bare for answer in answers] == [answer.bare for answer in reference[:1]]
        assert all(answer["Connection"] == "close" for answer in answers)
