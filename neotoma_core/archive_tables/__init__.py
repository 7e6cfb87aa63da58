"""The Delta tables of an archive: read, verified, written, recorded, and as one more database.

Not here: what is appended (``archive``).
"""
