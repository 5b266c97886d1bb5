"""The options, and how their values are read from the command line, the environment and a TOML file."""
