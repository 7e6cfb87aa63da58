"""A recovery as steps that may each be repeated, for whoever schedules, retries and records them.

What passes from step to step is paths, counts and reports, never rows.
"""

from pathlib import Path

from neotoma_core.files.frames import read_frame, write_frame
from neotoma_core.guard.guard import Guard
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.publication.replaceable import require_replaceable
from neotoma_core.recovery.recover import carry_out, plan_from, secure_one
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.recovery.run.request import RecoveryRun
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.evidence import is_current, write_manifest
from neotoma_core.runs.raw_files import RawListing, list_all
from neotoma_core.runs.run import DatabaseRef
from neotoma_core.sources.reading import ReadDatabase, read_database


def secure_and_read(run: RecoveryRun, database: DatabaseRef, progress: Progress) -> ReadDatabase:
    """Copy one database into the evidence and extract the copy.

    Raises TargetLocked, BackupUnreadable, BackupDamaged, NotNeotoma, KeyMissing.
    """
    progress.begin(f"evidence of {database.label}")
    evidence = secure_one(run, database, progress)
    progress.begin(f"read {database.label}")
    return read_database(run, run.request.wanted, evidence)


def hash_raw_files(run: RecoveryRun) -> Path:
    """Hash the raw files next to every database; return the file that lists them."""
    path = run.folders.work / "raw_files.arrow"
    write_frame(list_all(run).files, path)
    return path


def merge_and_publish(
    run: RecoveryRun,
    read: list[ReadDatabase],
    raw_files: Path,
    progress: Progress,
    environment: str | None = None,
) -> RecoveryReport:
    """Plan the merge of what was read and carry it out, unasked.

    ``environment``: the one that is set; in production nearly all observations are not overwritten,
    since nobody can be asked. Raises what ``recover`` raises; then nothing was changed.
    """
    require_replaceable(run.path)
    clock = Clock()
    current = tuple(_as_it_is_now(run, database, progress) for database in read)
    write_manifest(run, tuple(database.evidence for database in current))
    clock.lap("evidence")
    progress.begin("plan")
    plan = plan_from(run, current, RawListing(read_frame(raw_files)))
    clock.lap("plan")
    guard = Guard(environment=environment)
    return carry_out(plan, lambda _: True, progress, clock, guard)


def _as_it_is_now(run: RecoveryRun, database: ReadDatabase, progress: Progress) -> ReadDatabase:
    """Read the target again if it was written to: to repeat a merge of its old state is vain."""
    evidence = database.evidence
    if evidence.database.number != TARGET or is_current(evidence):
        return database
    return secure_and_read(run, evidence.database, progress)
