"""Snapshots for a database that lies in the scratch of a run and has only its log."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from neotoma_core.files.interrupts import on_scratch
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.rebuild.rebuild import rebuild_snapshots
from neotoma_core.rebuild.report import RebuildReport
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.report.progress import Progress
from neotoma_core.runs.run import DatabaseRef, Run, TargetRun
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.stages.runner import Work


@dataclass(frozen=True, slots=True)
class Computing:
    """By what snapshots are computed, and how; see ``SnapshotRun``."""

    schemas: Path | None = None
    rules: str = AUTO
    explained: bool = True
    job: Work = field(default_factory=Work)


def compute_snapshots(
    database: Path, run: Run, progress: Progress, by: Computing | None = None
) -> RebuildReport:
    """Compute all snapshots of a database in the scratch of ``run``, which has the vault.

    What the vault knows to be erased takes no part. Raises KeyMissing, UsageError,
    VerificationFailed.
    """
    by = by or Computing()
    place = run.folders.work / f"snapshots-of-{database.name}"
    folders = replace(
        run.folders,
        evidence=place / "copies",
        report=place / "report",
        work=place,
    )
    folders.evidence.mkdir(parents=True, mode=0o700)
    target = DatabaseRef(TARGET, "target", database, run.target_environment)
    scratch = TargetRun(folders, run.path, target, run.started, run.key, run.raw_storage)
    with on_scratch(), _parts_of(by.job) as job:
        asked = SnapshotRun(scratch, (), (), by.schemas, by.rules, by.explained, job)
        return rebuild_snapshots(asked, lambda _: True, progress)


@contextmanager
def _parts_of(job: Work) -> Iterator[Work]:
    """Yield the job with a place of its own, where it has one."""
    if job.place is None:
        yield job
        return
    with job.place.for_a_job() as place:
        yield replace(job, place=place)
