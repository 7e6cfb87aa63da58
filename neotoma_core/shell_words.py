"""Words for commands that are printed, so that a shell reads back exactly what was meant."""

import shlex
from typing import Final

_FIRST_BYTE: Final = 0xDC80  # of those that stand for a byte that is not UTF-8
_LAST_BYTE: Final = 0xDCFF


def quoted_word(word: object) -> str:
    r"""Return a word, or a path, as bash and zsh read it, and such that all of it can be printed.

    Bytes that are not UTF-8, line ends and other control characters are spelled as ``$'\377'``.
    """
    text = str(word)
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_spelled, text)) + "'"


def quoted_words(*words: object) -> str:
    """Return words as one command line."""
    return " ".join(map(quoted_word, words))


def _spelled(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character.isprintable():
        return character
    is_byte = _FIRST_BYTE <= ord(character) <= _LAST_BYTE
    errors = "surrogateescape" if is_byte else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in character.encode(errors=errors))
