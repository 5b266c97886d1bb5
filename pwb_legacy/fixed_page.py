"""PWB1, a fixed page: the response to every request is `hello PWB`.

The plan: accept a client; read its request to the end; send a status line, a few fields, an empty line and the content;
accept the next. It is single with a response that needs no file.
Costs: as single. The whole idea is make_response().
The book (9.1, net09_web_PWB1.py) took what one recv() returned for a whole request, sent no length, had no timeout, and
stopped when nothing read what it printed (L2, L7, L10, L20; docs/book.md). The code that all designs share does not.
"""

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

from .single import SingleServer

PAGE = b"hello PWB"


class FixedPageServer(SingleServer):
    """One page for every request, one client at a time."""

    def make_response(self, event: Request | BadRequest, address: str) -> Response:
        if isinstance(event, BadRequest):
            return super().make_response(event, address)
        fields = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Content-Length", b"%d" % len(PAGE)))
        return Response(200, fields, () if event.method == b"HEAD" else (PAGE,))
