"""What somebody may have meant: the nearest of the names there are."""

import difflib
from collections.abc import Iterable


def nearest_named(word: str, names: Iterable[str]) -> str:
    """Return words that name the nearest of ``names``; nothing where none is near.

    ``names``: of types, fields or options; never what a user stored.
    """
    by_folded = {name.casefold(): name for name in sorted(set(names))}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1)
    return f"; did you mean {by_folded[near[0]]}?" if near else ""
