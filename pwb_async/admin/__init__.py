"""The admin address of a server: its health, its metrics, and a page that draws them."""
