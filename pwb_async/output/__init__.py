"""Lines written to pipes, files and terminals without blocking the server."""
