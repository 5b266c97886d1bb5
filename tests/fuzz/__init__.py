"""Mutated requests for the code that reads requests.

python -m tests.fuzz [--runs N] [--seed S] [--target NAME]      the core, with atheris where it is installed
python -m tests.fuzz.differential [--requests N] [--seed S]     every design and nginx, over real sockets
"""
