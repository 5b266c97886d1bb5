"""What a person at a terminal sees of a server, and the keys that control it; imported only there."""
