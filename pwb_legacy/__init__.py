"""The textbook's web server in its seven designs, on raw sockets. Read in the book's order:

fixed_page, single, threads, processes, greenlets, epoll, epoll_threads: each shows how it waits, and nothing else.
common.http_server: what they share, and what a design may override. modes: the designs by the names of --mode.
"""
