"""HTTP/2 of pwb_async against real servers: the rows of the one suite, common clients, and the attacks on the protocol."""
