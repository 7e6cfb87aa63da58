"""``midden forget``: backups rewritten without what was erased, in place of those that hold it."""
