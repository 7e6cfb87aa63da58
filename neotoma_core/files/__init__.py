"""Files whatever is in them.

Old or new and never between, private, locked, compressed; frames in files; keys where their owner
keeps them. Not here: SQLite databases (``sqlite``).
"""
