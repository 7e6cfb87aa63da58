"""SQLite databases as files and as tables, read without trusting them.

Not here: damaged ones (``salvage``), and writing to a target (``publication``).
"""
