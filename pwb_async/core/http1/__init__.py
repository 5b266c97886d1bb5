"""HTTP/1.1 as RFC 9112 has it: from bytes to requests, and from responses to bytes."""
