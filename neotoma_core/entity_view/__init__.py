"""Entities as people ask for them: one shown, two databases compared, merges listed."""
