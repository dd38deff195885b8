"""Networks defined by a TOML file."""
