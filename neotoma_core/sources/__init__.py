"""What the databases of a recovery offer: extracted, opened, agreed on.

Not here: merging (``merge``) and the plan (``recovery``).
"""
