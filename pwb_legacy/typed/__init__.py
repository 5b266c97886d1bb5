"""Seven programs to type: the book's servers, each one file that imports nothing of PWB, and correct.

Run one with `python FILE PORT ROOT`. docs/typed.md shows what changes from each to the next.
"""
