"""Tests of the laboratory: real designs, real load, short."""
