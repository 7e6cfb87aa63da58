"""``midden archive`` and ``compact``.

Not here: the tables themselves and what verifies them (``archive_tables``).
"""
