"""Reading a target for a rebuild: proven, its log and snapshots in buckets on disk.

What is on disk is as stored: sealed values stay sealed there.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from neotoma_core.comparison.selection import (
    entities_matching,
    entity_types,
    read_merged_away,
    read_survivors,
)
from neotoma_core.errors import UsageError
from neotoma_core.files.keys import read_key
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.ledger.log import ErasedLog
from neotoma_core.merge.plan import registry_of
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.rebuild.spilling import (
    ENTITIES,
    RELATIONSHIPS,
    Spilled,
    bucket_count,
    find_source,
    spill,
)
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.evidence import (
    DatabaseEvidence,
    require_space,
    secure_database,
    write_manifest,
)
from neotoma_core.runs.run import TargetRun
from neotoma_core.runs.schemas import complete_registry, schema_rows
from neotoma_core.snapshots.choosing import choose_rules
from neotoma_core.snapshots.explaining import History
from neotoma_core.snapshots.past_schemas import past_schemas
from neotoma_core.snapshots.reading import Rules
from neotoma_core.sqlite.inspection import (
    StoredObject,
    StoredTable,
    inspect_database,
    names_of,
    require_writable,
)
from neotoma_core.sqlite.opening import (
    check_integrity,
    check_pages,
    connect_read_only,
    make_whole,
)
from neotoma_core.vault.folder import RunFolders
from neotoma_core.words.nearest import nearest_named

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey


@dataclass(frozen=True, slots=True)
class Reading:
    """A target, read.

    ``history``: how its snapshots came about. ``erased``: what of the log counts for nothing.
    ``others``: what of the target is neither run nor copied.
    """

    asked: SnapshotRun
    evidence: DatabaseEvidence
    whole: Path
    stored: Mapping[str, StoredTable]
    history: History
    spilled: Mapping[str, Spilled]
    key: "DataKey | None"
    erased: ErasedLog
    others: tuple[StoredObject, ...] = ()

    @property
    def run(self) -> TargetRun:
        """The run in which it is read."""
        return self.asked.run

    @property
    def target(self) -> Path:
        """The target itself."""
        return self.asked.target

    @property
    def folders(self) -> RunFolders:
        """The folders of the run."""
        return self.run.folders

    @property
    def started(self) -> datetime:
        """When the run began."""
        return self.run.started

    @property
    def rules(self) -> Rules:
        """What decides about its snapshots."""
        return self.history.rules

    @property
    def buckets(self) -> int:
        """Buckets that will be reduced, of entities and of relationships."""
        observed = ("observations", "relationship_observations")
        return sum(self.spilled[n].buckets.count for n in observed if n in self.spilled)

    @property
    def sealed(self) -> bool:
        """Whether any row read has an encrypted value: then all that is derived is sealed."""
        return any(spilled.sealed for spilled in self.spilled.values())


Secured = tuple[DatabaseEvidence, Path]
"""The evidence of a database, and the whole copy."""


def _secure(asked: SnapshotRun, progress: Progress) -> Secured:
    """Copy the target into the run's evidence; return that and the whole copy."""
    run = asked.run
    progress.begin("evidence", require_space(run))
    evidence = secure_database(run, run.target, progress)
    write_manifest(run, (evidence,))
    return evidence, make_whole(evidence.copy, asked.target, asked.work / "target")


def read_target(
    asked: SnapshotRun,
    tables: tuple[str, ...],
    progress: Progress,
    clock: Clock,
    secured: Secured | None = None,
) -> Reading:
    """Secure the target, unless it is, prove its pages and read some of its tables into buckets.

    Raises DiskFull, TargetLocked, BackupUnreadable, BackupDamaged, NotNeotoma, KeyMissing,
    VaultDamaged, UsageError for an unusable key or entities that are not there.
    """
    evidence, whole = secured or _secure(asked, progress)
    clock.lap("evidence")
    path = asked.target
    with closing(connect_read_only(whole)) as connection:
        check_pages(connection, path)
        inspection = inspect_database(connection, path)
    require_writable(inspection, path)
    stored = {table.name: table for table in inspection.tables}
    progress.begin("read", len(tables))
    run = asked.run
    erased = ErasedLog(read_erased_around(run.folders.vault, run.path))
    chosen = _choose(asked, whole, stored)
    spilled: dict[str, Spilled] = {}
    for pair in (ENTITIES, RELATIONSHIPS):
        sources = [find_source(whole, stored, name) for name in pair if name in tables]
        count = asked.job.buckets or bucket_count([source.size for source in sources])
        for source in sources:
            spilled[source.table.name] = spill(asked, source, count, chosen, erased)
            progress.advance(1)
    key = run.key
    sealed = any(s.sealed for s in spilled.values())
    reading = Reading(
        asked,
        evidence,
        whole,
        stored,
        read_history(asked, whole, stored),
        spilled,
        read_key(key) if key and sealed else None,
        erased,
        inspection.others,
    )
    clock.lap("read")
    return reading


def read_history(asked: SnapshotRun, whole: Path, stored: Mapping[str, StoredTable]) -> History:
    """Return how the snapshots of a whole copy came about.

    Raises UsageError or BackupError where a file with schemas was named and cannot be read.
    """
    schemas = schema_rows(whole, stored)
    registry = complete_registry(registry_of(schemas), asked.run, asked.schemas)
    choice = choose_rules(asked.rules, names_of(stored.values()), registry)
    rules = Rules(registry, choice, read_merged_away(whole, stored))
    return History(rules, past_schemas(schemas), read_survivors(whole, stored))


def prove_indexes(reading: Reading) -> None:
    """Prove that every index of the target has what its table has; raises BackupDamaged."""
    with closing(connect_read_only(reading.whole)) as connection:
        check_integrity(connection, reading.target)


def _choose(asked: SnapshotRun, whole: Path, stored: Mapping[str, StoredTable]) -> pl.Series | None:
    """Return the ids of the entities asked for; None where all are."""
    if not asked.narrowed:
        return None
    matching = entities_matching(whole, tuple(stored), asked.entities, asked.types)
    unknown = sorted(set(asked.entities) - set(matching))
    if unknown:
        raise UsageError(
            f"target {asked.target}: no entity {', '.join(unknown)}; nothing was changed; "
            "check the id"
        )
    _require_types(asked, whole, tuple(stored))
    return matching


def _require_types(asked: SnapshotRun, whole: Path, tables: tuple[str, ...]) -> None:
    """Raise UsageError for a type that no entity is of, naming the nearest that there is."""
    types = entity_types(whole, tables) if asked.types else frozenset()
    for unknown in sorted(set(asked.types) - types):
        raise UsageError(
            f"target {asked.target}: no entity of the type {unknown}; nothing was "
            f"changed{nearest_named(unknown, types)}"
        )
