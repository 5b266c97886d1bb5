"""Several processes that serve the same sockets, and the supervisor that replaces them."""
