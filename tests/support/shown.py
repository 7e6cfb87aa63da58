"""Reports whose every name is full of markup and of marks that turn the direction of writing."""

from dataclasses import replace
from typing import Final

from neotoma_core.merge.accounting import RowCounts
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.pages.coverage import Lane
from neotoma_core.publication.proofs import Check
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
from neotoma_core.report.inventory import CopyRow, DropCheck, InventoryReport
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
    backups=(
        BackupContribution("backup-1", PLACE, "production", 50, "2026-02-01", "2026-03-09", 46),
    ),
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
REFUSED: Final = replace(
    RECOVERED, report=replace(RECOVERY, outcome="refused", checks=(), undo=None)
)

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
    drops=(DropCheck("/copies/live.db", "wiped", 1, 5, PLACE, 5, "2026-02-03", "midden recover"),),
    parquet=None,
    picture=None,
)
