"""The Delta tables of an archive: read, written, recorded, and as a database like any other.

Not here: what is appended (``archive``).
"""
