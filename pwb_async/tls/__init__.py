"""Certificates, keys, and the SSL contexts that are made of them. Not loaded unless TLS is configured."""
