"""Entity snapshots of the log as it was, in a Parquet file; nothing else is written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.comparison.selection import read_owners
from neotoma_core.documents.asked_times import read_asked_instant
from neotoma_core.errors import UsageError
from neotoma_core.files.failures import failures_named
from neotoma_core.files.frames import parquet_parts
from neotoma_core.neotoma.times import Instants
from neotoma_core.rebuild.deciding import (
    Bucket,
    Tally,
    take_bucket,
)
from neotoma_core.rebuild.drift import DriftRecord
from neotoma_core.rebuild.reading import Reading, read_target
from neotoma_core.rebuild.report import CutOff, RebuildReport
from neotoma_core.rebuild.reporting import make_report, save
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.reduce.cut_off import up_to
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT
from neotoma_core.report.progress import Progress
from neotoma_core.runs.ahead import work_ahead
from neotoma_core.runs.clock import Clock
from neotoma_core.snapshots.change import DerivedChange
from neotoma_core.snapshots.deciding import ENTITY_SNAPSHOTS, Decided, Stored
from neotoma_core.snapshots.drift import DRIFT
from neotoma_core.snapshots.reading import reduce_live

_PARQUET: Final = b"PAR1"
_COLUMNS: Final = {name: kind() for name, kind in ENTITY_SNAPSHOT.items()}


@dataclass(frozen=True, slots=True)
class Export:
    """What of the log, and where its snapshots go. Times as the user wrote them."""

    out: Path
    as_of: str | None = None
    knowledge: str | None = None

    def end(self) -> Instants:
        """Return where the log ends; raises UsageError for an invalid time."""
        return Instants(
            read_asked_instant("--as-of", self.as_of),
            read_asked_instant("--knowledge", self.knowledge),
        )


def export_snapshots(asked: SnapshotRun, export: Export, progress: Progress) -> RebuildReport:
    """Reduce the log as it was and write its entity snapshots to ``export.out``.

    A Parquet file that is there is replaced, once the new one is complete. Raises UsageError, and
    what ``read_target`` raises.
    """
    end = export.end()
    _require_place(export.out, asked.target)
    clock = Clock()
    tally = Tally(ENTITY_SNAPSHOTS)
    observations = 0
    reading = read_target(asked, ("observations",), progress, clock)
    with (
        failures_named(export.out, ""),
        parquet_parts(export.out, _COLUMNS) as write,
    ):
        progress.begin("reduce", reading.buckets)
        for rows, bucket in _reduce_to(reading, end):
            observations += rows
            tally.add(bucket, reading)
            write(bucket.decided.change.written.sort("entity_id"))
            progress.advance(1)
        clock.lap("reduce")
    report = make_report(reading, [tally], DriftRecord(asked.run.folders), clock.seconds)
    left_out = report.observations - observations
    exported = replace(
        report,
        outcome="exported",
        out=str(export.out),
        cut_off=CutOff(export.as_of, export.knowledge, observations, left_out),
        writes=0,
    )
    return save(asked.run.folders, exported)


def _reduce_to(reading: Reading, end: Instants) -> Iterator[tuple[int, Bucket]]:
    """Yield how many observations of a bucket there were up to ``end``, and their snapshots."""
    rules = replace(reading.rules, merged_away=reading.rules.merged_away.by(end))
    owners = read_owners(reading.whole, reading.stored, ENTITY_SNAPSHOTS)
    stored = Stored(ENTITY_SNAPSHOTS, owners, frozenset(owners.columns))

    def reduce_bucket(number: int) -> tuple[int, Bucket]:
        observations = up_to(take_bucket(reading, "observations", number), end)
        reduction = reduce_live(observations, rules, owners)
        written = reduction.snapshots.select(*_COLUMNS)
        none = written.clear()
        change = DerivedChange(written, none, written.height, 0, 0)
        decided = Decided(stored, reduction, change, accepted=none, gone=none)
        return observations.height, Bucket(decided, pl.DataFrame(schema=DRIFT))

    return work_ahead(reduce_bucket, reading.spilled["observations"].buckets.count)


def _require_place(out: Path, target: Path) -> None:
    """Raise UsageError where ``out`` would replace something that is not an export."""
    if not out.exists():
        return
    if out.is_file() and out.stat().st_size:
        with out.open("rb") as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
        if is_parquet and not out.samefile(target):
            return
    raise UsageError(f"--out {out}: there is something else already; choose another name")
