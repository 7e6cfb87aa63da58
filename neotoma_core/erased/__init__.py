"""What an erasure reaches, and whether an id was erased.

Pure. Not here: the ledger's file (``ledger``), and carrying an erasure out (``erasure``).
"""
