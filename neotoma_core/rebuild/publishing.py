"""Writing what a rebuild decided: staged while it is decided, then one proven transaction."""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from neotoma_core.neotoma.encryption.columns import seal_rows
from neotoma_core.publication import proofs as proving
from neotoma_core.publication.proofs import Check
from neotoma_core.publication.staging import new_staging, stage_derived
from neotoma_core.publication.transaction import Publication, publish
from neotoma_core.rebuild.deciding import Bucket, Tally
from neotoma_core.rebuild.reading import Reading
from neotoma_core.runs.evidence import states_when_locked
from neotoma_core.snapshots.deciding import Decided


class Staging:
    """The staging database of a rebuild, filled during the reduction of the next bucket."""

    def __init__(self, reading: Reading) -> None:
        self.path: Path = reading.folders.work / "staging.db"
        self._reading = reading
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._last: Future[None] | None = None
        with new_staging(self.path):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def add(self, bucket: Bucket) -> None:
        """Stage one bucket; what went wrong with the one before is raised here."""
        self.finish()
        self._last = self._pool.submit(self._stage, bucket.decided)

    def finish(self) -> None:
        """Wait until everything is staged."""
        if self._last is not None:
            self._last.result()

    def _stage(self, decided: Decided) -> None:
        # By key, so that the index of the target is walked through and not jumped about in.
        written = decided.change.written.sort(*decided.table.key)
        if self._reading.sealed and self._reading.key is not None:
            written = seal_rows(decided.table, written, self._reading.key)
        stage_derived(self.path, decided.table, written, decided.change.removed)


def publish_rebuild(
    reading: Reading, staging: Staging, tallies: Sequence[Tally]
) -> tuple[Check, ...]:
    """Write what is staged into the target, all of it or nothing, and return what was proven.

    Raises VerificationFailed, BackupDamaged, TargetLocked, TargetChanged, DiskFull.
    """
    as_read = states_when_locked(reading.evidence, reading.whole)
    return publish(
        Publication(reading.target, staging.path, as_read),
        lambda connection, changes: _verify(connection, reading, tallies, changes),
    )


def _verify(
    connection: sqlite3.Connection, reading: Reading, tallies: Sequence[Tally], changes: int
) -> tuple[Check, ...]:
    entities = tallies[0]
    written = [tally.table.name for tally in tallies if tally.writes]
    return proving.all_passed(
        f"target {reading.target}",
        (
            ("accounted", _prove_counts(connection, reading, tallies, changes)),
            ("written", proving.prove_written(connection, ())),
            ("intact", proving.prove_intact(connection, written, reading.whole)),
            (
                "re-reduced",
                proving.prove_reduction(
                    connection, entities.sample, (), reading.rules, reading.key
                ),
            ),
        ),
    )


def _prove_counts(
    connection: sqlite3.Connection, reading: Reading, tallies: Sequence[Tally], changes: int
) -> proving.Proof:
    """The derived tables have the rows planned, every other table has the rows it had."""
    expected = {name: table.rows for name, table in reading.stored.items()}
    for tally in tallies:
        had = expected.get(tally.table.name, 0)
        expected[tally.table.name] = had + tally.inserted - tally.removed
    planned = sum(tally.writes + tally.updated for tally in tallies)
    return proving.prove_counts(connection, expected, changes, planned)
