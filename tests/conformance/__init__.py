"""One suite for all designs: real processes, raw sockets, and a table of behaviours that every design runs.

tests/README.md is the map of its helpers. The name of a test ends in the codes of the hazards that it covers
(docs/hazards.md).
"""
