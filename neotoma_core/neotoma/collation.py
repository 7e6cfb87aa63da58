"""The order of texts: String.prototype.localeCompare in the English locale of Node 20."""

import unicodedata
from typing import Final

_WEIGHTED_ASCII: Final = (
    "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
)
"""ASCII in the order of the ICU root collation. A capital counts as its small letter at first;
control characters that are not white space count for nothing."""

_FIRST_LEVEL: Final[dict[int, str | None]] = (
    dict.fromkeys(range(128))
    | {ord(character): chr(weight) for weight, character in enumerate(_WEIGHTED_ASCII, start=1)}
    | {ord("A") + i: chr(_WEIGHTED_ASCII.index("a") + 1 + i) for i in range(26)}
)
_CASE_LEVEL: Final[dict[int, str | None]] = {
    c: _FIRST_LEVEL[c] and ("\2" if chr(c).isupper() else "\1") for c in range(128)
}


def collation_key(text: str) -> str:
    """Return a key whose code point order is the localeCompare order of the texts.

    Exact for ASCII: punctuation, digits, letters; among texts that differ in case only, the first
    small letter comes first. Texts that localeCompare calls equal have equal keys.

    Approximate beyond ASCII: accents are set aside until the letters tie, other characters follow
    the Latin letters in code point order. Deterministic, but not what ICU does for every script.
    """
    if not text.isascii():
        return _key_beyond_ascii(text)
    first = text.translate(_FIRST_LEVEL)
    if text == text.lower():
        return first
    return f"{first}\0\0{text.translate(_CASE_LEVEL).rstrip(chr(1))}"


def _key_beyond_ascii(text: str) -> str:
    """Return first level, accents and case of a decomposed text, each ended by NUL."""
    decomposed = unicodedata.normalize("NFKD", text)
    letters = [c for c in decomposed if not unicodedata.combining(c)]
    plain = "".join(letters)
    first = plain.casefold().translate(_FIRST_LEVEL)
    case = "".join("\2" if c.isupper() else "\1" for c in letters).rstrip("\1")
    return f"{first}\0{_accents(decomposed)}\0{case}"


def _accents(decomposed: str) -> str:
    """Return, for every letter, a mark and the accents upon it."""
    marked = "".join(c if unicodedata.combining(c) else "\1" for c in decomposed)
    return marked.rstrip("\1")
