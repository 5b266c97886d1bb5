"""The benchmark against other servers; not collected as tests.

``python -m tests.benchmarks.peers --quick`` from the repository's top; see README.md.
"""
