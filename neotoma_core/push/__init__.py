"""``midden push``: what is new in a database, its log, raw files and backups, to a remote."""
