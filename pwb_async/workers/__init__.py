"""Worker processes that serve the same sockets, and the supervisor that starts and replaces them."""
