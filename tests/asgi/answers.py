"""Responses as any server of HTTP/1.1 may send them, and what of them an application decides."""

import re
from typing import Final, NamedTuple

from tests.conformance.peer import Peer
from tests.conformance.wire import Response

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[0-9] ([1-5][0-9][0-9])(?: [^\r\n]*)?")
OF_THE_SERVER: Final = ("date", "server", "connection", "keep-alive", "transfer-encoding")
"""Fields that a server adds itself."""
_OF_THE_APPLICATION: Final = "x-content-type-options"
"""A field that all responses of PWB have by default, and none of the servers'."""


class Answer(NamedTuple):
    """A response, as far as the application decides."""

    status: int
    fields: dict[str, str]
    content: bytes

    @property
    def summary(self) -> str:
        """The status, and who has made the response."""
        return f"{self.status}" if _OF_THE_APPLICATION in self.fields else f"{self.status} of the server"


class AnyPeer(Peer):
    """A client that understands every form of a response."""

    async def read_answer(self, method: str) -> Answer | None:
        """The next response, after any that is interim (100); None if the connection ends instead."""
        answer = await self._read_one(method)
        return await self.read_answer(method) if answer is not None and answer.status == 100 else answer

    async def _read_one(self, method: str) -> Answer | None:
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            try:
                if not await self._fill():
                    return None
            except ConnectionError:
                return None
        first, *lines = self._data[:end].split(b"\r\n")
        self._data = self._data[end + 4 :]
        status_line = _STATUS_LINE.fullmatch(first)
        assert status_line, first
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.decode("latin-1").partition(":")
            assert name.lower() not in fields, f"{name} is repeated"
            fields[name.lower()] = value.strip()
        status = int(status_line[1])
        content = b"" if method == "HEAD" or status in (100, 101, 204, 304) else await self._read_content(fields)
        return Answer(status, {name: fields[name] for name in fields if name not in OF_THE_SERVER}, content)

    async def _read_content(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") == "chunked":
            content = b""
            while size := int(await self._read_line(), 16):
                content += await self._read_exactly(size)
                await self._read_line()
            await self._read_line()
            return content
        if "content-length" in fields:
            return await self._read_exactly(int(fields["content-length"]))
        return await self.read_to_end()

    async def _read_line(self) -> bytes:
        while (end := self._data.find(b"\r\n")) < 0:
            assert await self._fill(), "the connection ended within a line"
        line, self._data = self._data[:end], self._data[end + 2 :]
        return line

    async def _read_exactly(self, size: int) -> bytes:
        pieces, missing = [self._data], size - len(self._data)
        while missing > 0:
            self._data = b""
            assert await self._fill(), f"the connection ended {missing} bytes early"
            pieces.append(self._data)
            missing -= len(self._data)
        whole = b"".join(pieces)
        self._data = whole[size:]
        return whole[:size]


def answer_of(response: Response) -> Answer:
    """What a response of PWB's own server is without the fields of a server."""
    fields = {name: value for name, value in response.fields if name not in OF_THE_SERVER}
    return Answer(response.status, fields, response.content)
