"""Tests of pwb_async.core: without a socket, a file, a clock or a mock."""
