"""Mutated requests for the code that reads requests.

python -m tests.fuzz [--runs N] [--seed S] [--target NAME]      the core, with atheris where it is installed
python -m tests.fuzz.differential [--requests N] [--seed S]     every design and nginx, over real sockets
python -m tests.fuzz.http2_differential [--of blocks|frames]    HTTP/2: the core, hpack, h2 and nghttp2
"""
