"""Sockets: the addresses that a server listens on, and how many connections it admits."""
