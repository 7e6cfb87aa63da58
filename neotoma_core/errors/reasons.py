"""What the system says of an error of its own, in the words that Midden's messages have."""

import os


def words_of(number: int) -> str:
    """Return what the system says of the number of an error."""
    return os.strerror(number).lower().replace("input/output error", "the disk failed (I/O error)")


def reason_of(error: OSError) -> str:
    """Return what the system says of an error, or whoever raised it in its name."""
    said = error.strerror or "cannot be used"
    if error.errno is None or said != os.strerror(error.errno):
        return said
    return words_of(error.errno)
