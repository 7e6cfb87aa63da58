"""Building a database from nothing but an archive, in the place of the target.

archive → rows, proven by their hashes → snapshots recomputed → erased rows left out → ask →
guarded, evidence → raw files → renamed into place
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from neotoma_core.archive_tables.as_backup import environment_of_archive
from neotoma_core.archive_tables.database import ArchivedDatabase, Selection, build_database
from neotoma_core.archive_tables.reading import list_table
from neotoma_core.archive_tables.tables import Archive, open_archive
from neotoma_core.comparison.differences import find_differences
from neotoma_core.documents.asked_times import read_asked_instant
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.erasure.copies import Cleaned, without_erased
from neotoma_core.errors import UsageError
from neotoma_core.files.keys import KeySource
from neotoma_core.find.kinship import Offer, require_own
from neotoma_core.guard.guard import RESTORE, UNATTENDED, Guard
from neotoma_core.guard.replacement import readable_target, secure_target
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.rebuild.report import RebuildReport
from neotoma_core.rebuild.scratch import Computing, compute_snapshots
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.restore.raw_files import BroughtBack, PutBack, RawTarget, bring_back
from neotoma_core.restore.report import ArchiveRestoreReport, RestoredTable
from neotoma_core.restore.restorable import Restorable
from neotoma_core.restore.sources import RestoreSource
from neotoma_core.row_versions.columns import ARCHIVED
from neotoma_core.runs.begin import target_run
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.left_over import find_left_behind
from neotoma_core.runs.run import Run, require_environment
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.stages.runner import Work

Confirm = Callable[[ArchiveRestoreReport], bool]


@dataclass(frozen=True, slots=True)
class RestoreArchiveRequest:
    """What the user asked for.

    ``as_of``: a time as the user wrote it; None for the last run of the archive.
    ``skip_unreadable``: go on without files of the archive that cannot be read. ``guard``: who is
    asked before nearly all observations go. ``raw_storage``: where Neotoma keeps the target's raw
    files, if not next to it. ``rules``: by which to reduce; see ``snapshots.choosing``.
    ``job``: how it is done.
    """

    archive: Path
    target: Path
    vault: Path
    as_of: str | None = None
    schemas: Path | None = None
    key: KeySource | None = None
    skip_unreadable: bool = False
    allow_environment_mismatch: bool = False
    guard: Guard = UNATTENDED
    raw_storage: Path | None = None
    rules: str = AUTO
    job: Work = field(default_factory=Work)


def moment_of(text: str | None) -> datetime | None:
    """Return a time the user wrote; raises UsageError for an invalid time."""
    instant = read_asked_instant("--as-of", text)
    return None if instant is None else datetime.fromtimestamp(instant / 1000, UTC)


def restore_archive(
    request: RestoreArchiveRequest, now: datetime, confirm: Confirm, progress: Progress
) -> ArchiveRestoreReport:
    """Put the database an archive describes in the place of the target.

    ``confirm`` is shown what is in it and may decline, as the guard may. What is there now is kept
    as evidence. Raises ArchiveError, DatabaseMismatch, EnvironmentMismatch, TargetLocked,
    TargetChanged, TargetError, KeyMissing, VerificationFailed, BackupNotIntact, UsageError: then
    the target is as it was.
    """
    moment = moment_of(request.as_of)
    archive = open_archive(request.archive)
    if not request.allow_environment_mismatch:
        theirs = environment_of_archive(request.archive)
        require_environment(request.archive, theirs, request.target)
    with target_run(request, now) as run:
        selection = Selection("standing", moment, damaged=request.skip_unreadable)
        built = build_database(
            archive, run.folders.work / "restored.db", selection, progress, request.job
        )
        if not any(built.rows.values()):
            raise _nothing_in(archive, request.as_of)
        by = Computing(request.schemas, request.rules, explained=False, job=request.job)
        rebuilt = compute_snapshots(built.path, run, progress, by)
        erased = read_erased_around(request.vault, request.archive)
        cleaned = without_erased(built.path, erased, run, request.key)
        _require_own(request, run, cleaned.whole)
        report = _report_planned(request, run, built, rebuilt, cleaned.rows)
        changes = find_differences(readable_target(run), cleaned.whole, request.target)
        report = replace(report, differences=changes)
        if not confirm(report):
            return report
        secured = secure_target(run, cleaned.whole, request.guard, RESTORE, progress)
        if not secured.granted:
            return report
        raw = _bring_back(request, cleaned, erased, run)
        secured.replace()
        undo = undo_command(run)
        report = replace(
            report,
            raw_files_restored=raw.restored,
            raw_files_lost=raw.lost,
            raw_files_missing=raw.missing,
            raw_folder=str(raw.place),
        )
        report = replace(report, outcome="restored", backup=secured.backup, undo=undo)
        return replace(report, differences=())


def _bring_back(
    request: RestoreArchiveRequest, cleaned: Cleaned, erased: ErasedIds, run: Run
) -> BroughtBack:
    """Bring back the raw files next to the archive, and those of the vault that are missing."""
    environment = environment_of_archive(request.archive)
    known = environment_of(request.target.name) or environment or "development"
    to = RawTarget(request.target, known, request.vault, request.raw_storage)
    source = RestoreSource("neotoma", request.archive)
    beside = (request.archive.absolute().parent,)
    found = Restorable(cleaned.whole, beside, environment)
    return bring_back(PutBack(source, found, cleaned, erased), to, run.folders.work)


def _nothing_in(archive: Archive, as_of: str | None) -> UsageError:
    """Return what to say of an archive without a row of the time that was asked for."""
    files = (f for table in ARCHIVED for f in list_table(archive, table.name).files)
    ever = any(file.rows for file in files)
    if not ever:
        wrong, advice = "it has no row of any time", "name another archive, or a backup"
    elif as_of is None:
        wrong, advice = "its last run found no row", "name an earlier time with --as-of"
    else:
        wrong, advice = f"it has no row of {as_of}", "choose another --as-of"
    return UsageError(f"archive {archive.path}: {wrong}; {advice}")


def _require_own(request: RestoreArchiveRequest, run: Run, whole: Path) -> None:
    """Raise where the archive is of another database than the target, unless that is meant."""
    if not request.allow_environment_mismatch:
        require_own(run, readable_target(run), (Offer(whole, request.archive),))


def _report_planned(
    request: RestoreArchiveRequest,
    run: Run,
    built: ArchivedDatabase,
    rebuilt: RebuildReport,
    erased: int,
) -> ArchiveRestoreReport:
    derived = [(table.table, table.inserted) for table in rebuilt.derived]
    return ArchiveRestoreReport(
        run=run.folders.name,
        outcome="planned",
        archive=str(request.archive),
        as_of=request.as_of,
        target=str(request.target),
        restored=tuple(RestoredTable(*rows) for rows in [*built.rows.items(), *derived]),
        erased=erased,
        findings=(*find_left_behind(run), *_findings(built, rebuilt)),
        backup=None,
        undo=None,
    )


def _findings(built: ArchivedDatabase, rebuilt: RebuildReport) -> Iterator[Finding]:
    yield from built.findings()
    yield from rebuilt.findings
