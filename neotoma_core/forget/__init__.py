"""``midden forget``: backups made anew without what was erased, in place of those that hold it."""
