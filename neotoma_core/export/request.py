"""An export: its database or archive, as of when, what is left out, and where it goes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from neotoma_core.archive_tables.database import Selection, build_database
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.documents.asked_times import read_asked_instant
from neotoma_core.errors import UsageError
from neotoma_core.export.files import Format, require_export
from neotoma_core.files.keys import KeySource
from neotoma_core.neotoma.frames import TARGET
from neotoma_core.neotoma.times import Instants
from neotoma_core.rebuild.request import SnapshotRun
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Whereabouts, reading_run, scratch_run
from neotoma_core.runs.run import DatabaseRef, TargetRun
from neotoma_core.snapshots.choosing import AUTO


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What the user asked for: of a ``target`` or an ``archive``, one of them.

    ``as_of``, ``knowledge``: only what was observed, or stored, up to this time, as the user wrote
    it. ``redact``: ``TYPE.FIELD`` or ``TYPE.FIELD=hash``.
    """

    to: Path
    vault: Path
    target: Path | None = None
    archive: Path | None = None
    as_of: str | None = None
    knowledge: str | None = None
    redact: tuple[str, ...] = ()
    format: Format = "parquet"
    schemas: Path | None = None
    key: KeySource | None = None
    skip_unreadable: bool = False
    rules: str = AUTO

    def end(self) -> Instants:
        """Return where the log ends; raises UsageError for an invalid time."""
        observed = read_asked_instant("--as-of", self.as_of)
        return Instants(observed, read_asked_instant("--knowledge", self.knowledge))

    def in_run(self, run: TargetRun) -> SnapshotRun:
        """Return what is asked for, in a run of what is exported."""
        return SnapshotRun(run, schemas=self.schemas, rules=self.rules)

    @property
    def source(self) -> Path:
        """The database or archive that is exported; raises UsageError for none or both."""
        if (self.target is None) == (self.archive is None):
            raise UsageError("name what to export: a database with --target, or --archive")
        return self.target or self.archive or Path()


@dataclass(frozen=True, slots=True)
class ExportRun:
    """One export. ``reading``: the run as readers of a target know it."""

    request: ExportRequest
    reading: SnapshotRun
    findings: tuple[Finding, ...] = field(default=())


@contextmanager
def export_run(request: ExportRequest, now: datetime, progress: Progress) -> Iterator[ExportRun]:
    """Take the vault for an export; build the database first where it is an archive's.

    Raises UsageError, ArchiveError, TargetError, BackupUnreadable, VaultError.
    """
    source = request.source
    request.end()
    require_export(request.to)
    if request.to.absolute() in (source.absolute(), *source.absolute().parents):
        raise UsageError(f"{request.to}: what is exported is in it; choose another with --to")
    where = Whereabouts(source, request.vault, request.key)
    if request.target is not None:
        with reading_run(where, now) as reading:
            yield ExportRun(request, request.in_run(reading))
        return
    archive = open_archive(source)
    with scratch_run(where, now) as run:
        path = run.folders.work / "archived.db"
        selection = Selection(damaged=request.skip_unreadable)
        built = build_database(archive, path, selection, progress)
        copies = run.folders.work / "copies"
        copies.mkdir(mode=0o700)
        target = DatabaseRef(TARGET, "target", path, None)
        folders = replace(run.folders, evidence=copies)
        reading = TargetRun(folders, source, target, now, request.key)
        yield ExportRun(request, request.in_run(reading), tuple(built.findings()))
