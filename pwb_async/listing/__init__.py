"""Directory listings and ZIP archives of directories. Nothing here is imported unless an option asks for it."""
