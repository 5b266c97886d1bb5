"""The laboratory: its load generator, its figures, its pages. Real servers and real clients throughout."""
