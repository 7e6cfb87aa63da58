"""The folder that Midden owns, one for each protected database.

Its layout, backups, raw files, lease. Not here: the erasure ledger (``ledger``) and the archive
(``archive_tables``).
"""
