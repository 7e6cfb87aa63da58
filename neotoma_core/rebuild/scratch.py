"""Snapshots for a database that lies in the scratch of a run and has only its log."""

from dataclasses import replace
from pathlib import Path

from neotoma_core.files.interrupts import on_scratch
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.rebuild.rebuild import rebuild_snapshots
from neotoma_core.rebuild.report import RebuildReport
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.report.progress import Progress
from neotoma_core.runs.run import DatabaseRef, Run, TargetRun
from neotoma_core.snapshots.choosing import AUTO


def compute_snapshots(
    database: Path,
    run: Run,
    progress: Progress,
    schemas: Path | None = None,
    rules: str = AUTO,
) -> RebuildReport:
    """Compute all snapshots of a database in the scratch of ``run``, which has the vault.

    What the vault knows to be erased takes no part. Raises KeyMissing, UsageError,
    VerificationFailed.
    """
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
    snapshots = SnapshotRun(scratch, schemas=schemas, rules=rules)
    with on_scratch():
        return rebuild_snapshots(snapshots, lambda _: True, progress)
