"""What is read of an archive, as plain data for another process; see ``answers``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from neotoma_core.archive_tables.as_backup import SecuredArchive
from neotoma_core.archive_tables.reading import DamagedFile
from neotoma_core.comparison.holdings import Coder, Holdings
from neotoma_core.documents.models import Digits, HexDigits, NotAsModelled, read_model
from neotoma_core.errors import BackupDamaged, BackupError, BackupUnreadable
from neotoma_core.neotoma.environments import Environment
from neotoma_core.report.findings import Finding
from neotoma_core.sqlite.copies import CopiedFile
from neotoma_core.workers.answers import place_within
from neotoma_core.workers.examined import Held, plain_of_holdings, read_held

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
class LookedInto:
    """An archive that was looked into. ``appended``: when rows were last appended to it, UTC.

    ``problem``: why it counts for nothing; then nothing is known of what it holds.
    """

    problem: str | None
    holdings: Holdings | None = None
    appended: datetime | None = None
    environment: Environment | None = None


@dataclass(frozen=True, slots=True)
class _Looked:
    """``LookedInto``; the tables of what it holds are apart."""

    problem: str | None
    appended: datetime | None
    environment: Environment | None
    held: Held | None


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


def plain_of_looked(one: LookedInto, coder: Coder) -> tuple[dict[str, object], dict[str, bytes]]:
    """Return what was read of an archive, and its tables."""
    held = None
    tables: dict[str, bytes] = {}
    if one.holdings is not None:
        held, tables = plain_of_holdings(one.holdings, coder)
    return {
        "problem": one.problem,
        "appended": one.appended and one.appended.isoformat(),
        "environment": one.environment,
        "held": held,
    }, tables


def read_looked(document: object, tables: Mapping[str, bytes], coder: Coder) -> LookedInto:
    """Return what was read of an archive, ids encoded again; raises NotAsModelled."""
    told = read_model(_Looked, document)
    holdings = None if told.held is None else read_held(told.held, tables, coder)
    if (told.problem is None) != (holdings is not None):
        raise NotAsModelled("held", "there where nothing is wrong")
    return LookedInto(told.problem, holdings, told.appended, told.environment)


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
