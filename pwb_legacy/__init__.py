"""The textbook's web server in its seven designs, on raw sockets. Read in the book's order:

fixed_page, single, threads, processes, greenlets, epoll, epoll_threads: each says how it waits, nothing else.
base: what they share. modes: how to choose one.
"""
