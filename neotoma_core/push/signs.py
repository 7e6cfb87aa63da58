"""Whether the files of a database are still those that were archived last, by their signs.

Signs: name, inode, size, and the times of the last change of content and of anything, by the clock
of the file system. Nothing can set the last one, so a file with the same signs is the same file.
What was archived is noted next to the entries of a remote. The note says nothing of the remote, and
counts only while the archive has what it had then; without it, the database is read.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.archive_tables.tables import Archive
from neotoma_core.documents.document import document, document_of
from neotoma_core.files.atomic import write_file
from neotoma_core.files.headers import WITH_ROWS, companion, follow
from neotoma_core.files.small import read_small

NOTE: Final = "archived.json"

Signs = tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Note:
    """``tables``: the moment of the last run that each table of the archive has."""

    signs: list[list[str | int]]
    archive: str
    tables: dict[str, int]


def signs_of(target: Path) -> Signs:
    """Return the signs of a database's files; nothing is opened.

    The index of a log is not among them: readers write to it, too, and no row is in it.
    """
    found = []
    for path in (target, *(companion(follow(target), suffix) for suffix in WITH_ROWS)):
        with suppress(FileNotFoundError):
            facts = path.stat()
            found.append(
                (path.name, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
            )
    return tuple(found)


def note_archived(cache: Path, signs: Signs, archive: Archive) -> None:
    """Note that an archive has all that a database with these signs holds."""
    with suppress(OSError):  # no room, say: then it is read again
        write_file(cache / NOTE, document(_note(signs, archive)))


def is_archived(cache: Path, signs: Signs, archive: Archive) -> bool:
    """Return whether an archive has all that a database with these signs holds."""
    try:
        noted = document_of(read_small(cache / NOTE))
    except (OSError, ValueError):
        return False
    return bool(signs) and noted == document_of(document(_note(signs, archive)))


def _note(signs: Signs, archive: Archive) -> _Note:
    record = archive.record
    tables = {name: state.until for name, state in record.tables.items()} if record else {}
    return _Note([list(one) for one in signs], record.archive if record else "", tables)
