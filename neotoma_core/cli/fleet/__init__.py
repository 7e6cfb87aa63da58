"""The commands over every database of ``midden.toml``."""
