"""The documents of a remote: what it says of itself, and the entries of its logs. Pure.

``midden.json`` is a ``RemoteDescription``. ``log/<writer>/<number>`` is an ``Entry``: what one push
added to the log of one archive, and the hash of the entry before it as it is stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.documents.document import document, document_of
from neotoma_core.documents.models import (
    FileName,
    HexDigits,
    InnerPath,
    NotAsModelled,
    PathText,
    Word,
    is_newer,
    read_model,
)

FORMAT: Final = 1
KIND: Final = "midden remote"
DESCRIPTION: Final = "midden.json"
LOG: Final = "log"
BACKUPS: Final = "backups"
BLOBS: Final = "blobs"


class NewerFormat(ValueError):
    """A later midden wrote it."""


@dataclass(frozen=True, slots=True)
class RemoteDescription:
    """What a remote is. ``id``: random, its own.

    ``recipients``: for whom its contents are sealed, none for a plain one; ``key``: the key of its
    logs, sealed for them.
    """

    id: HexDigits
    recipients: tuple[str, ...] = ()
    key: HexDigits | None = None
    kind: Word = KIND
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Content:
    """One content: its SHA-256 and its size in bytes, before it was sealed."""

    sha256: HexDigits
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """Versions of rows of one table, as a Parquet file with the columns of an archive's table."""

    table: Word
    rows: int
    content: Content


@dataclass(frozen=True, slots=True)
class ShippedBackup:
    """A backup of a vault. ``name``: of its folder; ``files``: of each file in it, the content."""

    name: FileName
    taken_at: datetime
    files: Mapping[FileName, Content]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one push added to a log, and what the log holds then.

    ``previous``: the SHA-256 of the entry before as it is stored, empty for the first. ``at``: when
    it was pushed. ``target``, ``environment``, ``release``: of the database. ``observations``: ids
    of some of its observations. ``counts``: what was counted of the database. ``begins``: what the
    entries before it say of rows and raw files does not count any more. ``parts``: the rows;
    ``tables``: what each table of the log has committed, its parts of all entries together.
    ``raw_files``: sizes by name, ``<user>/<sha256>``. ``backups``; ``erasures``: lines of the
    ledger. ``pruned``: backups that were removed. ``archive``: the id of the archive, where that
    is not its writer. ``condemned``: objects that no push may rely on any more.
    ``renamed``: of contents whose names were condemned, under which others they are.
    """

    writer: HexDigits
    number: int
    previous: HexDigits
    at: datetime
    target: PathText
    environment: Word | None
    release: Word
    observations: tuple[str, ...] = ()
    counts: Counts | None = None
    begins: bool = False
    parts: tuple[Part, ...] = ()
    tables: Mapping[Word, Committed] = field(default_factory=dict)
    raw_files: Mapping[InnerPath, int] = field(default_factory=dict)
    backups: tuple[ShippedBackup, ...] = ()
    erasures: tuple[str, ...] = ()
    pruned: tuple[FileName, ...] = ()
    archive: HexDigits = ""
    condemned: tuple[InnerPath, ...] = ()
    renamed: Mapping[InnerPath, InnerPath] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def contents(self) -> tuple[Content, ...]:
        """What it names, other than raw files and files of backups."""
        return tuple(part.content for part in self.parts)

    @property
    def of_archive(self) -> str:
        """The id of the archive that the log is of."""
        return self.archive or self.writer


def entry_bytes(entry: Entry) -> bytes:
    """Return an entry as JSON."""
    return document(entry)


def entry_of(body: bytes) -> Entry:
    """Read an entry; raises NewerFormat, ValueError where it is invalid."""
    return read_model(Entry, _require_known(body))


def description_bytes(description: RemoteDescription) -> bytes:
    """Return what a remote says of itself, as JSON."""
    return document(description) + b"\n"


def description_of(body: bytes) -> RemoteDescription:
    """Read what a remote says of itself; raises NewerFormat, ValueError where it is invalid."""
    found = read_model(RemoteDescription, _require_known(body))
    if found.kind != KIND:
        raise NotAsModelled("kind", "that of a remote")
    return found


def _require_known(body: bytes) -> dict[str, Any]:
    value = document_of(body)
    if not isinstance(value, dict):
        raise NotAsModelled("", "a document")
    if is_newer(value.get("format"), FORMAT):
        raise NewerFormat("made by a newer midden")
    return dict(value)
