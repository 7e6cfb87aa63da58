"""What an erasure reaches, and telling whether an id was erased. Pure: frames in, frames out.

``naming`` derives from the table facts which cells name what, ``reach`` finds the rows that go,
``hashed`` recognises erased ids by their salted hashes, ``files`` raw files of erased sources.
"""
