"""Reports whose every name is full of markup and of marks that turn the direction of writing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from neotoma_core.archive.report import ArchiveReport, TableArchived
from neotoma_core.archive_tables.verification_report import ArchiveVerification, VerifiedTable
from neotoma_core.backup.report import BackupReport, DrillSummary, VerifyReport
from neotoma_core.erasure.report import (
    AskedFor,
    ErasureReport,
    HoldingEvidence,
    RawFilesErased,
    TableErasure,
)
from neotoma_core.export.report import ExportedFile, ExportReport
from neotoma_core.find.board.report import BoardEntry, BoardReport
from neotoma_core.merge.accounting import RowCounts
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.pages.coverage import Lane
from neotoma_core.pages.timeline import Point
from neotoma_core.publication.proofs import Check
from neotoma_core.push.report import PushReport
from neotoma_core.rebuild.report import DriftItem, DriftSummary, RebuildReport
from neotoma_core.recovery.page.tallies import RecoveryShown, TypeRecovered
from neotoma_core.recovery.report import (
    BackupContribution,
    ConflictSummary,
    Contents,
    EvidenceSummary,
    RawFileSummary,
    RecoveryReport,
    ReingestedSummary,
)
from neotoma_core.report.findings import Finding
from neotoma_core.report.inventory import CopyRow, DropCheck, InventoryReport, StatusReport
from neotoma_core.report.protection import ProtectionSummary
from neotoma_core.report.remotes import RemoteStanding, RemoteStandings
from neotoma_core.snapshots.report import DerivedSummary
from neotoma_core.snapshots.rules_report import RulesUsed

NASTY: Final = '<img src=x onerror=alert(1)>"&amp;\u202egnp.\u05d0\u05d1'
PLACE: Final = f"/copies/{NASTY}/" + "long-" * 20 + "neotoma.prod.db"

DERIVED: Final = (DerivedSummary("entity_snapshots", 9, 1, 0, 3, 1),)
CHECKS: Final = (Check("accounted", passed=True, detail="12 rows in 3 tables"),)
FINDINGS: Final = (Finding("not-carried", NASTY, f"{NASTY}; neither run nor copied"),)
RULES: Final = RulesUsed("0.22", "", "nothing newer is there", {}, ())

CONFLICT: Final[dict[str, JsonValue]] = {
    "backup": "backup-1",
    "table": "observations",
    "key": NASTY,
    "columns": ["fields"],
    "keep": "target",
    "by": "mode",
}
RECOVERY: Final = RecoveryReport(
    run="2026-03-12T09-00-00Z",
    outcome="published",
    target=PLACE,
    target_existed=True,
    mode="keep-target",
    evidence=EvidenceSummary(PLACE, 2, 19_500_000, 3, 4),
    backups=(BackupContribution("backup-1", PLACE, "production", 50, None, None, 46),),
    not_used=(),
    tables=(RowCounts(0, "observations", 50, inserted=46, identical=3, conflict=1),),
    conflicts=ConflictSummary(1, 1, 0, PLACE, (CONFLICT,)),
    reingested=ReingestedSummary(2, "by-mode", 1, PLACE),
    quarantine=None,
    derived=DERIVED,
    raw_files=RawFileSummary(3, 400, (), (NASTY,), ()),
    writes=46,
    before=Contents(4, 4, 4, 0, "2026-03-11", "2026-03-11"),
    after=Contents(50, 40, 40, 3, "2026-02-01", "2026-03-11"),
    checks=CHECKS,
    findings=FINDINGS,
    rules=RULES,
    seconds={"publish": 1.0},
    report=PLACE,
    undo=f"midden restore '{PLACE}'",
)
DROP: Final = DropCheck("/copies/live.db", "wiped", 1, 5, PLACE, 5, "2026-02-03", "midden recover")
LANES: Final = (
    Lane(NASTY, ("4 observations",), "target", {"2026-03-11": 4}, {"2026-02-01": 46}),
    Lane("now", ("50 observations",), "after", {"2026-02-01": 46, "2026-03-11": 4}),
    Lane(PLACE, ("50 observations",), "copy", {"2026-02-01": 30, "2026-02-20": 20}),
    Lane("saved", ("5 observations",), "salvaged", {"2026-02-02": 5}),
    Lane("twin", ("5 observations",), "twin", {"2026-02-02": 5}),
)
RECOVERED: Final = RecoveryShown(
    RECOVERY,
    LANES,
    (TypeRecovered(NASTY, 4, 36, 46, (NASTY, "\u202eevil")), TypeRecovered("task", 0, 1, 2)),
    ((f"ent_{NASTY}", "task", True), ("ent_1", NASTY, False)),
    f"midden backup --target '{PLACE}'",
)
_UNDONE: Final = replace(RECOVERY, outcome="refused", checks=(), undo=None)
REFUSED: Final = replace(RECOVERED, report=_UNDONE)

COPY: Final = CopyRow(
    path=PLACE, path_bytes=None, member=None, shown=PLACE, size=1, modified="", digest=None,
    environment="production", environment_by="name", version_from=None, version_before=None,
    state="sound", problem=None, journal="none", journal_bytes=0, observations=5, entities=1,
    rows={}, first="2026-02-01", last="2026-02-03", days=2, entity_types={"secret_type": 1},
    database="A", same_as=None, exclusive=2, salvaged=None, unproven=0, live=False, backup=None,
)  # fmt: skip
INVENTORY: Final = InventoryReport(
    searched=("/copies",),
    files=9,
    folders=2,
    skipped=0,
    unreadable={f"/{NASTY}": NASTY},
    archives={},
    copies=(
        replace(COPY, shown="/copies/live.db", live=True),
        COPY,
        replace(COPY, shown="/copies/saved.db", salvaged="page by page", problem=NASTY),
        replace(COPY, shown="/copies/twin.db", same_as=PLACE),
        replace(COPY, shown="/copies/empty.db", observations=0, first=None, last=None),
    ),
    density={
        "/copies/live.db": {"2026-03-11": 1},
        PLACE: {"2026-02-01": 2, "2026-02-03": 3},
        "/copies/saved.db": {"2026-02-01": 2, "not a day": 9},
        "/copies/twin.db": {"2026-02-01": 2, "2026-02-03": 3},
        "/copies/empty.db": {},
    },
    drops=(DROP,),
    parquet=None,
    picture=None,
)

REBUILD: Final = RebuildReport(
    run="2026-03-12T09-00-00Z",
    outcome="planned",
    target=PLACE,
    evidence=PLACE,
    evidence_bytes=9,
    observations=50,
    entities=40,
    narrowed=False,
    buckets=1,
    derived=DERIVED,
    drift=(DriftSummary("entity_snapshots", 1, 1, 0, 0, {NASTY: 2}, 0),),
    drifted=(DriftItem("entity_snapshots", "stale", NASTY, NASTY, NASTY, (), (NASTY,)),),
    drift_file=PLACE,
    writes=2,
    cut_off=None,
    out=None,
    checks=CHECKS,
    findings=FINDINGS,
    unfinished=None,
    rules=RULES,
    seconds={"reduce": 1.0},
    report=PLACE,
    undo=None,
)
DRILL: Final = DrillSummary(
    "2026-03-12T09-00-00Z", "now", "fail", "checksums", (NASTY,), 2, (NASTY,), 1.5, "midden rebuild"
)
BACKUP: Final = BackupReport(
    run="2026-03-12T09-00-00Z",
    outcome="taken",
    backup="2026-03-12T09-00-00Z",
    folder=PLACE,
    kind="manual",
    target=PLACE,
    environment="production",
    versions=("0.22", None),
    observations=50,
    entities=40,
    newest="2026-03-11",
    database_bytes=10_000_000,
    stored_bytes=2_000_000,
    raw_folders=(),
    raw_files_kept=3,
    raw_files_held=0,
    raw_files_missing=1,
    raw_files_damaged=0,
    logs=0,
    drill=DRILL,
    alarms=(f"{NASTY}: 40 % fewer",),
    drop=0.4,
    frozen=True,
    seconds={"copy": 1.0},
    restore="midden restore 1",
    accept="midden backups --accept 1",
    erase_again="midden erase --again",
    verify="midden verify 1",
    findings=(NASTY,),
)
VERIFIED: Final = VerifyReport("2026-03-12T09-00-00Z", "fail", (DRILL,), ("late",), {"drill": 2.0})
ERASURE: Final = ErasureReport(
    run="2026-03-12T09-00-00Z",
    outcome="erased",
    target=PLACE,
    asked=AskedFor(1, 0, 0, 0, 2),
    rows=12,
    erasures=(TableErasure("observations", 50, 12),),
    derived=DERIVED,
    erased_raw_files=RawFilesErased(1, 10),
    recorded=13,
    holding=(HoldingEvidence(PLACE, 2, f"rm -r -- '{PLACE}'"),),
    writes=14,
    checks=CHECKS,
    findings=FINDINGS,
    seconds={},
    report=PLACE,
    back_up="midden backup",
)
ARCHIVED: Final = ArchiveReport(
    run="2026-03-12T09-00-00Z",
    outcome="archived",
    target=PLACE,
    archive=PLACE,
    archived_at="2026-03-12T09:00:00Z",
    archived=(TableArchived("observations", 50, 46, 1, 2),),
    appended=46,
    gone=2,
    findings=FINDINGS,
    seconds={"append": 1.0},
)
ARCHIVE_VERIFIED: Final = ArchiveVerification(
    PLACE, "damaged", (VerifiedTable("observations", 3, 46, 1),), FINDINGS
)
EXPORT: Final = ExportReport(
    run="2026-03-12T09-00-00Z",
    outcome="exported",
    source=PLACE,
    out=PLACE,
    as_of="2026-03-01",
    knowledge=None,
    files=(ExportedFile(f"{NASTY}.parquet", 50, 1),),
    redacted=(f"{NASTY} (left out)",),
    findings=FINDINGS,
    seconds={"log": 1.0},
)
PUSH: Final = PushReport(
    outcome="held",
    target=PLACE,
    remote=NASTY,
    writer="1",
    versions={"observations": 46},
    raw_files=1,
    backups=("2026-03-12T09-00-00Z",),
    erasures=0,
    bytes=1_000,
    entries=1,
    alarms=(NASTY,),
    findings=FINDINGS,
    seconds={"push": 1.0},
)

MOMENT: Final = datetime(2026, 3, 12, 9, tzinfo=UTC)
STATUS: Final = StatusReport(
    target=PLACE,
    state="sound",
    problem=NASTY,
    observations=1,
    entities=1,
    first=None,
    last=None,
    searched=(),
    copies=2,
    drop=DROP,
    protection=ProtectionSummary(
        vault=PLACE,
        backups=2,
        good=1,
        last_backup=None,
        last_verified=None,
        level="none",
        drop=0.4,
        overdue_seconds=90_000,
        frozen=True,
        incomplete=True,
        alarms=(NASTY,),
        said=NASTY,
    ),
    unfinished=None,
    raw_files=None,
    next=f"midden recover --target '{PLACE}'",
    remotes=RemoteStandings(
        (RemoteStanding(NASTY, PLACE, MOMENT, MOMENT, 90_000.0, NASTY, (), "midden push"),)
    ),
)
POINTS: Final = (
    Point(MOMENT - timedelta(days=3), 30, "bad"),
    Point(MOMENT - timedelta(days=2), 40, "warn"),
    Point(MOMENT - timedelta(days=1), 50, "good", MOMENT),
)
BOARD: Final = BoardReport(
    "2026-03-12",
    (
        BoardEntry(PLACE, PLACE, STATUS, None, POINTS),
        BoardEntry(f"{PLACE}2", PLACE, None, NASTY, ()),
    ),
)
