"""The inventory of copies found.

Its field names are keys of ``--json`` and columns of the Parquet file, and stay as they are. Counts
are rows, sizes bytes, times UTC as ISO 8601.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from neotoma_core.report.document import document
from neotoma_core.report.protection import Leftover, ProtectionSummary, RawFilesGone
from neotoma_core.report.remotes import RemoteStandings
from neotoma_core.report.unfinished import UnfinishedStores

Verdict = Literal["wiped", "lacking", "whole", "alone", "ruined", "unread"]


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One copy.

    ``path``: the file, or the archive with the ``member`` of it; ``path_bytes``, in hex, where it
    cannot be printed as it is. ``shown``: both, safe to print. ``environment_by``: what tells the
    environment: ``name``, ``manifest`` or ``content``. ``version_from``, ``version_before``: the
    Neotoma that last opened it, by its columns. ``state``: ``sound``, ``damaged``, ``truncated``,
    ``unreadable``, ``empty`` or ``busy``; ``problem``: why not sound. ``journal``: the file next to
    it with part of its rows. ``rows``: per log table, and entities. ``days``: days with
    observations. ``database``: a letter for each database the copies descend from. ``same_as``: the
    copy with the same bytes. ``exclusive``: observations that no other copy has but those of the
    same bytes. ``salvaged``: by which means rows came out of a damaged copy; ``unproven``: salvaged
    rows that nothing proves whole, in no other number. ``backup``: the name of the one it is, of a
    vault, as ``midden restore`` takes it.
    """

    path: str
    path_bytes: str | None
    member: str | None
    shown: str
    size: int
    modified: str
    digest: str | None
    environment: str | None
    environment_by: str | None
    version_from: str | None
    version_before: str | None
    state: str
    problem: str | None
    journal: str
    journal_bytes: int
    observations: int | None
    entities: int | None
    rows: Mapping[str, int]
    first: str | None
    last: str | None
    days: int
    entity_types: Mapping[str, int]
    database: str | None
    same_as: str | None
    exclusive: int | None
    salvaged: str | None
    unproven: int
    live: bool
    backup: str | None


@dataclass(frozen=True, slots=True)
class KeptArchive:
    """A Midden archive that was found, and the ``command`` that recovers from it.

    Only a status looks into it: ``rows`` by table, every row it ever had; ``last``: its newest
    observation, ``appended``: when it was last appended to. ``problem``: why it counts for nothing;
    then ``command`` says what is wrong with it.
    """

    path: str
    command: str
    observations: int | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    last: str | None = None
    appended: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class LeftLog:
    """A log or a journal whose database is gone; ``command`` keeps it and uses what it holds."""

    path: str
    bytes: int
    command: str


@dataclass(frozen=True, slots=True)
class DropCheck:
    """Whether a database has lost what its copies hold.

    ``verdict``: ``wiped`` (it has fewer than half of what one copy has), ``lacking`` (copies hold
    observations it does not have), ``whole`` (it has all they hold), ``alone`` (there is no copy),
    ``ruined`` (it cannot be used as it is; ``observations`` can be salvaged), ``unread`` (it could
    not be read, so nothing is known). ``best``: the copy with the most observations,
    ``best_observations``, the last of them at ``best_last``. ``lacks``: observations in copies and
    not here. ``next``: the command to run.
    """

    target: str
    verdict: Verdict
    observations: int
    lacks: int
    best: str | None
    best_observations: int
    best_last: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class InventoryReport:
    """What a search found. ``density``: per copy shown, observations by day.

    ``archives``: those that were not unpacked to the end, and why; ``unreadable``: folders and
    files that could not be read, and why; ``skipped``: folders left out, such as caches.
    """

    searched: tuple[str, ...]
    files: int
    folders: int
    skipped: int
    unreadable: Mapping[str, str]
    archives: Mapping[str, str]
    copies: tuple[CopyRow, ...]
    density: Mapping[str, Mapping[str, int]]
    drops: tuple[DropCheck, ...]
    parquet: str | None
    picture: str | None
    kept_archives: tuple[KeptArchive, ...] = ()
    left_logs: tuple[LeftLog, ...] = ()

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The state of one database, whether it has lost anything, and what protects it.

    ``protection``: null where it has no vault. ``unfinished``: null where the database cannot be
    read. ``raw_files``: null where no backup has any. ``next``: the command to run first, if any.
    ``left``: what runs that did not finish left. ``remotes``: those of its vault. ``vault_absent``:
    what to connect where its vault was made here and is gone; null where it is not. ``further``:
    the command that recovers from all of the home folder, where something is to be recovered and
    only the usual places were searched.
    """

    target: str
    state: str
    problem: str | None
    observations: int
    entities: int
    first: str | None
    last: str | None
    searched: tuple[str, ...]
    copies: int
    drop: DropCheck
    protection: ProtectionSummary | None
    unfinished: UnfinishedStores | None
    raw_files: RawFilesGone | None
    next: str | None
    left: tuple[Leftover, ...] = ()
    kept_archives: tuple[KeptArchive, ...] = ()
    left_logs: tuple[LeftLog, ...] = ()
    remotes: RemoteStandings | None = None
    vault_absent: str | None = None
    further: str | None = None

    @property
    def is_unread(self) -> bool:
        """Whether the database could not be read, so that nothing can be said of it."""
        return self.drop.verdict == "unread"

    @property
    def is_alarming(self) -> bool:
        """Whether somebody should look."""
        protected, raw = self.protection, self.raw_files
        return (
            self.drop.verdict in ("wiped", "ruined")
            or self.vault_absent is not None
            or (protected is not None and protected.is_alarming)
            or (raw is not None and raw.alarming)
        )

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
