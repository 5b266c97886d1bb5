"""Where files come from; blocking, and the only package that opens a file beneath the root."""
