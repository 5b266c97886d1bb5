"""Tests of floor 0: no socket, no file, no clock, no mock."""
