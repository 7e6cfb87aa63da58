"""What a vault says of itself and of its runs: the models its documents are read by. Pure.

``vault.json`` is a ``Description``; a line of the ledger a ``LedgerStart`` or a ``LedgerEvent``;
the manifest of evidence an ``EvidenceManifest``; ``archive.json`` an ``ArchiveDescription``.
Paths may be any that a disk can hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from neotoma_core.documents.models import (
    Digits,
    FileName,
    HexDigits,
    InnerPath,
    NotAsModelled,
    PathText,
    Seconds,
    Word,
    read_model,
)


@dataclass(frozen=True, slots=True)
class Promise:
    """How many lines the ledger has at least, and the check of the last of them."""

    lines: int
    check: HexDigits


@dataclass(frozen=True, slots=True)
class Identity:
    """By what the protected database is known: hashes of observations, how many it had, where."""

    observations: tuple[HexDigits, ...] = ()
    count: int = 0
    target: PathText | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a vault is, and which database it protects.

    ``schedule_seconds``: how often backups are to be taken, where somebody said so.
    ``exports_and_archives``: those elsewhere that were made with it.
    """

    format: int
    protects: PathText
    id: HexDigits | None = None
    identity: Identity | None = None
    schedule_seconds: Seconds | None = None
    exports_and_archives: tuple[PathText, ...] = ()
    erasures: Promise | None = None


@dataclass(frozen=True, slots=True)
class LedgerStart:
    """The first line of a ledger."""

    format: int
    salt: HexDigits


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """What a run did: it recorded ids as erased, as hashes by kind, or it ``finished``."""

    run: FileName
    at: datetime
    erased: Mapping[Word, tuple[HexDigits, ...]] | None = None
    finished: Literal[True] | None = None


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that was copied, by its place in the folder of its database; of an archive, hashed.

    ``sha256``: empty where a file of an archive was missing.
    """

    name: InnerPath
    size: int
    mtime_ns: Digits
    sha256: HexDigits


@dataclass(frozen=True, slots=True)
class EvidenceDatabase:
    """The files of one database. ``label``: of its folder; ``path``: where it was."""

    label: FileName
    path: PathText
    files: tuple[EvidenceFile, ...]


@dataclass(frozen=True, slots=True)
class EvidenceManifest:
    """What a run kept before it wrote anything."""

    format: int
    run: FileName
    target: PathText
    target_existed: bool
    databases: tuple[EvidenceDatabase, ...]
    left_behind: tuple[EvidenceFile, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ArchiveDescription:
    """What an archive says of itself. ``observations``: ids of some, which may be any text."""

    kind: str
    format: int
    observations: tuple[str, ...] = ()
    recorded: bool = False
    release: Word | None = None


def description_of(value: object) -> Description:
    """Read what a vault says of itself; raises NotAsModelled."""
    return read_model(Description, value)


def event_of(value: object) -> LedgerEvent:
    """Read an event of a ledger; raises NotAsModelled."""
    event = read_model(LedgerEvent, value)
    if (event.erased is None) == (event.finished is None):
        raise NotAsModelled("it", "either an erasure or the end of one")
    return event
