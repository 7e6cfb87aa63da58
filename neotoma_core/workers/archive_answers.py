"""What is read of an archive, as plain data for another process; see ``answers``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from neotoma_core.archive_tables.as_backup import SecuredArchive
from neotoma_core.archive_tables.reading import DamagedFile
from neotoma_core.documents.models import Digits, HexDigits, read_model
from neotoma_core.errors import BackupDamaged, BackupError, BackupUnreadable
from neotoma_core.neotoma.environments import Environment
from neotoma_core.report.findings import Finding
from neotoma_core.sqlite.copies import CopiedFile
from neotoma_core.workers.answers import place_within

_Kind = Literal["BackupUnreadable", "BackupDamaged"]
_REFUSALS: Final[Mapping[_Kind, type[BackupError]]] = {
    "BackupUnreadable": BackupUnreadable,
    "BackupDamaged": BackupDamaged,
}


@dataclass(frozen=True, slots=True)
class SurveyedArchive:
    """What is to be known of an archive first. ``bytes``: of its database, by and large."""

    environment: Environment | None
    bytes: int


@dataclass(frozen=True, slots=True)
class _Refused:
    """``BackupError``; ``place``: within the archive, empty for the archive itself."""

    kind: _Kind
    place: str
    wrong: str
    advice: str


@dataclass(frozen=True, slots=True)
class _Copied:
    """``CopiedFile``; ``name``: its place within the archive."""

    name: str
    size: int
    mtime_ns: Digits
    sha256: HexDigits


@dataclass(frozen=True, slots=True)
class _Damaged:
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Secured:
    """``SecuredArchive`` without its database, whose place is known."""

    files: tuple[_Copied, ...]
    damaged: tuple[_Damaged, ...]
    notes: tuple[Finding, ...]


def surveyed_from_plain(document: object) -> SurveyedArchive:
    """Return what is to be known of an archive first; raises NotAsModelled."""
    return read_model(SurveyedArchive, document)


def archive_refused_to_plain(error: BackupError, archive: Path) -> dict[str, object]:
    """Return why an archive cannot be used."""
    return {
        "kind": type(error).__name__,
        "place": _place(error.path, archive),
        "wrong": error.wrong,
        "advice": error.advice,
    }


def secured_to_plain(secured: SecuredArchive, archive: Path) -> dict[str, object]:
    """Return what was read of an archive."""
    return {
        "files": [
            {
                "name": file.name,
                "size": file.size,
                "mtime_ns": str(file.mtime_ns),
                "sha256": file.sha256,
            }
            for file in secured.files
        ],
        "damaged": [
            {"place": _place(one.path, archive), "reason": one.reason} for one in secured.damaged
        ],
        "notes": [
            {"kind": one.kind, "subject": one.subject, "detail": one.detail}
            for one in secured.notes
        ],
    }


def secured_from_plain(document: object, archive: Path, database: Path) -> SecuredArchive:
    """Return what was read of an archive, ``database`` built; raises NotAsModelled.

    Raises the BackupError that is reported instead.
    """
    if isinstance(document, dict) and "kind" in document:
        told = read_model(_Refused, document)
        raise _REFUSALS[told.kind](_place_of(archive, told.place), told.wrong, told.advice)
    secured = read_model(_Secured, document)
    return SecuredArchive(
        database,
        tuple(
            CopiedFile(
                place_within(archive, one.name), one.name, one.size, int(one.mtime_ns), one.sha256
            )
            for one in secured.files
        ),
        tuple(DamagedFile(_place_of(archive, one.place), one.reason) for one in secured.damaged),
        secured.notes,
    )


def _place(path: Path, archive: Path) -> str:
    return "" if path == archive else str(path.relative_to(archive))


def _place_of(archive: Path, place: str) -> Path:
    return place_within(archive, place) if place else archive
