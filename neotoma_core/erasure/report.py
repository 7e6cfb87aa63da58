"""The report of an erasure. Its field names are the keys of ``--json`` and stay as they are.

Counts are rows, sizes bytes, times UTC as ISO 8601, durations seconds. The vault keeps it, so no
erased id is in it, nor any stored value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from neotoma_core.publication.proofs import Check
from neotoma_core.report.document import document
from neotoma_core.report.findings import Finding
from neotoma_core.snapshots.report import DerivedSummary

Outcome = Literal["planned", "erased", "unchanged"]


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What was to be erased, in numbers; ``absent``: how many of these the target lacks.

    ``merged``: entities that go too since they had been merged into one that was asked for.
    """

    entities: int
    observations: int
    users: int
    absent: int
    merged: int


@dataclass(frozen=True, slots=True)
class TableErasure:
    """One table: the rows it had, and how many of them go."""

    table: str
    rows: int
    erased: int


@dataclass(frozen=True, slots=True)
class RawFilesErased:
    """Raw files that no source which stays refers to."""

    removed: int
    removed_bytes: int


@dataclass(frozen=True, slots=True)
class HoldingEvidence:
    """What still holds what is erased: of the vault, a raw file, an export, an archive, a remote.

    ``folder``: of a remote, its address. ``databases``: how many files of it, or entries of its
    log. ``remove``: the command that removes it, or that leaves it out of the remote's log.
    """

    folder: str
    databases: int
    remove: str


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """One run of ``midden erase``.

    ``recorded``: ids that were new to the vault's ledger. ``rows``: all rows that go, ``writes``
    with the snapshots that change because of it. ``backup``: the one that was taken before, where
    nearly all observations went. ``back_up``: the command that takes a new one; ``forget``: the one
    that rewrites backups which hold what is erased, empty where none does.
    """

    run: str
    outcome: Outcome
    target: str
    asked: AskedFor
    rows: int
    erasures: tuple[TableErasure, ...]
    derived: tuple[DerivedSummary, ...]
    erased_raw_files: RawFilesErased
    recorded: int
    holding: tuple[HoldingEvidence, ...]
    writes: int
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    seconds: Mapping[str, float]
    report: str
    back_up: str
    undo: None = None
    backup: str | None = None
    forget: str = ""
    page: str | None = None

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
