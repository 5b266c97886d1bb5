"""Measurements: servers, scenarios, rounds, and what they cost."""
