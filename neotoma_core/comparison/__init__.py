"""What copies of a database hold, and how two of them differ.

Reads whole copies, writes nothing.
"""
