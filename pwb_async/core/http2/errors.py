"""The errors of HTTP/2: of a whole connection or of one stream (RFC 9113 5.4), with their codes (RFC 9113 7)."""

from enum import IntEnum


class ErrorCode(IntEnum):
    """The reason for which a connection or a stream ends (RFC 9113 7)."""

    NO_ERROR = 0x0
    """None: the connection is closed gracefully, or the rest of a request's content is not wanted."""
    PROTOCOL_ERROR = 0x1
    """A violation of the protocol for which there is no other code."""
    INTERNAL_ERROR = 0x2
    """A fault of this server, such as a file that has become shorter."""
    FLOW_CONTROL_ERROR = 0x3
    """More data than a window allows, or a window of more than 2^31-1 bytes."""
    SETTINGS_TIMEOUT = 0x4
    """SETTINGS were not acknowledged in time."""
    STREAM_CLOSED = 0x5
    """A frame on a stream whose sender had ended it."""
    FRAME_SIZE_ERROR = 0x6
    """A frame of a size that its type does not allow."""
    REFUSED_STREAM = 0x7
    """The request was not processed at all, and may be sent again."""
    CANCEL = 0x8
    """The stream is not needed any more."""
    COMPRESSION_ERROR = 0x9
    """A field block that cannot be decoded (RFC 7541)."""
    CONNECT_ERROR = 0xA
    """The connection that CONNECT has asked for has failed."""
    ENHANCE_YOUR_CALM = 0xB
    """The peer causes too much work."""
    INADEQUATE_SECURITY = 0xC
    """The TLS connection is too weak."""
    HTTP_1_1_REQUIRED = 0xD
    """The request has to be sent by HTTP/1.1."""


class HTTP2Error(Exception):
    """An error of the peer, which ends a connection or a stream."""

    code: ErrorCode
    """The reason, as the peer gets it."""
    detail: str
    """The reason, in words for a developer."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class HTTP2ConnectionError(HTTP2Error):
    """An error that ends the connection, by GOAWAY (RFC 9113 5.4.1)."""


class HTTP2StreamError(HTTP2Error):
    """An error that ends one stream, by RST_STREAM (RFC 9113 5.4.2)."""


def require(condition: bool, code: ErrorCode, detail: str) -> None:
    """Raise HTTP2ConnectionError unless `condition` holds."""
    if not condition:
        raise HTTP2ConnectionError(code, detail)
