"""PWB as an application that the server of another program runs: what ASGI and WSGI have in common."""
