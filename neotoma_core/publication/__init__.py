"""Writing into a target.

Staged, in one transaction, proven before it is committed; and putting a whole file in its place.
Not here: what is written (the operations).
"""
