"""Limits on the requests of a client, and on the bytes a second that are sent."""
