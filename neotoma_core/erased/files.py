"""Which raw files are of what was erased: by their names, and by what is in them."""

from collections.abc import Collection, Iterable
from typing import Final

from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erased.naming import RAW_FILES

CONTENTS: Final = "contents"
"""The kind of a raw file's SHA-256: whatever the file's name and folder."""


def content_of(name: str) -> str:
    """Return the hash in the name of a raw file, ``<user id>/<sha256>``."""
    return name.rpartition("/")[2]


def find_erased_files(
    erased: ErasedIds, names: Iterable[str], staying: Collection[str] = frozenset()
) -> set[str]:
    """Return those of the raw files ``names`` that are of what was erased.

    ``staying``: the files that sources which are there name; those are nobody else's.
    """
    offered = set(names).difference(staying)
    contents = set(erased.among(CONTENTS, {content_of(name) for name in offered}))
    named = set(erased.among(RAW_FILES, offered))
    return named | {name for name in offered if content_of(name) in contents}
