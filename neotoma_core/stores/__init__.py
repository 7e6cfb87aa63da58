"""Object stores: named objects that are created once, read, listed, and never changed.

Invariant: an object is there whole or not at all, and is never overwritten. Creating is
put-if-absent, which ``probe`` proves of a store before it is used.
"""
