"""Storages, from which files are served: the only package that opens files beneath the root. It blocks."""
