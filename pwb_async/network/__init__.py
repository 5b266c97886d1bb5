"""Sockets: where the server listens, and how many connections it admits."""
