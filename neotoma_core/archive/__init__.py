"""``midden archive``, ``compact`` and ``verify --archive``.

Not here: the tables themselves (``archive_tables``).
"""
