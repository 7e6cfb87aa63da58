"""Neotoma's format, without opening a file.

How it writes text, cells, times and ids, what its tables are made of, its schemas and releases. Not
here: how observations reduce (``reduce``), and SQLite files (``sqlite``).
"""
