"""Decisions about the archive, the log as versions of rows in open files. Pure.

The archive is a folder of Delta tables, one per log and registry table (``ARCHIVED``), and one of
``removed_rows``. A table has one row per version of a row: the columns of the database, and those
of ``columns``. Nothing in it is ever changed: a row that changed in the database is a new version,
and one that is gone from it is a row of ``removed_rows``.
"""
