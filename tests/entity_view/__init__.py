"""Entities shown, databases compared, merges listed."""
