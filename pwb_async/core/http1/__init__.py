"""HTTP/1.1 (RFC 9112): received bytes become requests, and responses become bytes."""
