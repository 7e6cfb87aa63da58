"""An archive on a store: its layout there, its mirror on this machine, and publishing to it.

Not here: what is appended (``archive``), and how a table is read (``archive_tables``).
"""
