"""The record of an archive: what each of its tables last committed, kept outside the tables.

``committed.json``: the id of the archive; by table a ``Committed``; the SHA-256 of all that. Since
nothing else tells a lost commit, there is a copy of it, which counts where the file is harmed.

Invariant: the record never says more than the tables have on the disk. Order of a commit: files and
log entry written and forced to the disk → the record written in one step → its copy. So a table
that has more than the record is one whose run was killed in between, and the next run adds that to
the record; one that has less has lost a commit.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.documents.models import HexDigits, NotAsModelled, Word, is_newer, read_model
from neotoma_core.errors import ArchiveError, VaultDamaged
from neotoma_core.files.atomic import announce
from neotoma_core.neotoma.json import JsonValue, stringify
from neotoma_core.row_versions.columns import SCHEMAS
from neotoma_core.vault.folder import read_json, write_json

STEPS: Final = ("commit_recorded",)
RECORD: Final = "committed.json"
COPY: Final = "committed-copy.json"
_FORMAT: Final = 1
_ID_BYTES: Final = 16


class NotARecord(ValueError):
    """The record is missing, damaged, or was edited; the message says which."""


@dataclass(frozen=True, slots=True)
class Record:
    """What an archive has committed. ``archive``: its id, which its tables have as their name."""

    archive: str = field(default_factory=lambda: secrets.token_hex(_ID_BYTES))
    tables: Mapping[str, Committed] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The record as it is in its file."""

    archive: HexDigits
    tables: Mapping[Word, Committed]
    sha256: HexDigits
    format: int = _FORMAT


def read_record(place: Path) -> tuple[Record | None, bool]:
    """Return the record of the archive in a folder, None where it has none.

    Also whether it is harmed, and only its copy says it. Raises NotARecord where neither can be
    read, ArchiveError where a newer midden wrote it.
    """
    found, wrong = [], []
    for name in (RECORD, COPY):
        try:
            found.append(_read(place / name))
        except NotARecord as error:
            wrong.append(error)
            found.append(None)
    record, copy = found
    if record is None and copy is None and wrong:
        raise wrong[0]
    if record is None or copy is None or record.archive != copy.archive:
        return record or copy, bool(wrong) or (record is None and copy is not None)
    return later_of(record, copy), False


def later_of(first: Record, last: Record) -> Record:
    """Return of two records of one archive what either says of each table, if it says more."""
    both = {**last.tables, **first.tables}
    for name, state in last.tables.items():
        if state.version > both[name].version:
            both[name] = state
    return replace(first, tables=both)


def _read(path: Path) -> Record | None:
    try:
        described = read_json(path)
    except FileNotFoundError:
        return None
    except (VaultDamaged, OSError) as error:
        raise NotARecord("the record of its commits cannot be read") from error
    if isinstance(described, dict) and is_newer(described.get("format"), _FORMAT):
        raise ArchiveError(path, "made by a newer midden", "update midden")
    record = record_of(described)
    if record is None:
        raise NotARecord("the record of its commits is not as it was written")
    return record


def write_record(place: Path, record: Record) -> None:
    """Write the record of the archive in a folder, in one step, and its copy in another."""
    sealed = seal_record(record)
    write_json(place / RECORD, sealed)
    announce("commit_recorded")
    write_json(place / COPY, sealed)


def seal_record(record: Record) -> dict[str, JsonValue]:
    """Return a record as the document it is written as, its checksum in it."""
    content = _content(record)
    return {**content, "sha256": _checksum(content)}


def _content(record: Record) -> dict[str, JsonValue]:
    """Return what the checksum of a record covers: its whole document but for itself."""
    return {
        "format": _FORMAT,
        "archive": record.archive,
        "tables": {name: asdict(state) for name, state in sorted(record.tables.items())},
    }


def _checksum(content: Mapping[str, JsonValue]) -> str:
    return hashlib.sha256(stringify(dict(content)).encode()).hexdigest()


def record_of(described: JsonValue) -> Record | None:
    """Return a record as it is written; None where it is not one of ours, or was edited."""
    try:
        sealed = read_model(_Sealed, described)
    except NotAsModelled:
        return None
    record = Record(sealed.archive, sealed.tables)
    known = sealed.format == _FORMAT and sealed.tables.keys() <= SCHEMAS.keys()
    return record if known and sealed.sha256 == _checksum(_content(record)) else None
