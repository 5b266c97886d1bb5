"""HTTP/2 (RFC 9113): received frames become requests, and responses become frames."""
