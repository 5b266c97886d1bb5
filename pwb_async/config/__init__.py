"""Options, and where their values come from: the command line, the environment and a TOML file."""
