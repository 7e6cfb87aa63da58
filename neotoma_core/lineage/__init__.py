"""Which entity owns a row, by the merges and splits that every database knows.

Pure.
"""
