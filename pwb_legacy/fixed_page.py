"""PWB1, a fixed page: whatever is asked, the answer is `hello PWB`.

The plan: like single, with an answer that looks nowhere. It shows the smallest thing that is a web server: a socket,
a request that is read to its end, a status line, a few fields, an empty line, the content.
Costs: as single. The whole idea is answer().
"""

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

from .single import SingleServer

PAGE = b"hello PWB"


class FixedPageServer(SingleServer):
    """One page for every request, one client at a time."""

    def answer(self, event: Request | BadRequest) -> Response:
        if isinstance(event, BadRequest):
            return super().answer(event)
        fields = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Content-Length", b"%d" % len(PAGE)))
        return Response(200, fields, () if event.method == b"HEAD" else (PAGE,))
