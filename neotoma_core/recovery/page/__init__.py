"""The page of a recovery: what it shows besides the report, its sections, and keeping it."""
