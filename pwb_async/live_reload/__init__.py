"""Live reload: pages in browsers follow the files. Nothing here is imported without --live-reload."""
