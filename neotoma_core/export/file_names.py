"""File names for entity types, which may be called anything.

A name is safe on every file system, says its type to a reader, and no two types share one, also
where case does not count: lower-case letters, digits, ``_`` and ``-`` stand for themselves, every
other byte of the UTF-8 is ``%`` and two hex digits. Where a name would be too long, or one that
Windows keeps for itself, its end tells it apart; then only the catalog can say the type.
"""

import hashlib
import re
from typing import Final

_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST: Final = 120
_KEPT: Final = 80
_DIGITS: Final = 24
_RESERVED: Final = re.compile(r"con|prn|aux|nul|com\d|lpt\d")
_CUT: Final = "~"  # never stands in a name that is whole


def file_stem(entity_type: str) -> str:
    """Return the file name, without ending, of an entity type."""
    raw = entity_type.encode("utf-8", "surrogatepass")
    stem = "".join(chr(b) if b in _PLAIN else f"%{b:02x}" for b in raw) or "%"
    if _RESERVED.fullmatch(stem):
        return f"%{raw[0]:02x}{stem[1:]}"
    if len(stem) <= _LONGEST:
        return stem
    return f"{stem[:_KEPT]}{_CUT}{hashlib.sha256(raw).hexdigest()[:_DIGITS]}"
