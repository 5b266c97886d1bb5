"""The error of content that cannot be sent as promised."""


class TruncatedError(Exception):
    """The promised Content-Length cannot be sent, because the file has become shorter or the disk failed (D1)."""
