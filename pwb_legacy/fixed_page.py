"""PWB1, a fixed page: the response to every request is `hello PWB`.

The plan: accept a client; read its request to the end; send a status line, a few fields, an empty line and the content;
accept the next. It is single with a response that needs no file. The book's version did not send the content's length,
and took what one recv() returned for the whole request; both are done right in the code that all designs share.
Costs: as single. The whole idea is make_response().
"""

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

from .single import SingleServer

PAGE = b"hello PWB"


class FixedPageServer(SingleServer):
    """One page for every request, one client at a time."""

    def make_response(self, event: Request | BadRequest) -> Response:
        if isinstance(event, BadRequest):
            return super().make_response(event)
        fields = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Content-Length", b"%d" % len(PAGE)))
        return Response(200, fields, () if event.method == b"HEAD" else (PAGE,))
