"""Words for commands that are printed, so that a shell reads back exactly what was meant."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_FIRST_BYTE: Final = 0xDC80  # of those that stand for a byte that is not UTF-8
_LAST_BYTE: Final = 0xDCFF


def quote_word(word: object) -> str:
    r"""Return a word, or a path, as bash and zsh read it, and such that all of it can be printed.

    Bytes that are not UTF-8, line ends and other control characters are spelled as ``$'\377'``.
    """
    text = str(word)
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_spell, text)) + "'"


def quote_words(*words: object) -> str:
    """Return words as one command line."""
    return " ".join(map(quote_word, words))


def quote_for_sh(*words: object) -> str:
    r"""Return words as one command line for /bin/sh, which knows nothing of ``$'\377'``."""
    return " ".join(shlex.quote(str(word)) for word in words)


def midden_command(
    *words: str | Path,
    target: Path | None,
    vault: Path | None = None,
    then: Sequence[str | Path] = (),
) -> str:
    """Return a midden command, to be pasted anywhere: absolute, quoted, for a target.

    ``words`` come before the target, ``then`` after it, and the vault last, where they are known.
    """
    said: list[str | Path] = [*words]
    said += [] if target is None else ["--target", target]
    said += then
    said += [] if vault is None else ["--vault", vault]
    return f"midden {quote_words(*(w.absolute() if isinstance(w, Path) else w for w in said))}"


def _spell(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character.isprintable():
        return character
    is_byte = _FIRST_BYTE <= ord(character) <= _LAST_BYTE
    errors = "surrogateescape" if is_byte else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in character.encode(errors=errors))
