"""The benchmark against other servers, and tests of the parts that could make its figures wrong.

``python -m tests.benchmarks.peers --quick`` from the repository's top; see README.md.
"""
