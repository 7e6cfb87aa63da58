"""Turning plans into reports and keeping them in the vault."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import starmap
from typing import Final

import polars as pl

from neotoma_core.archive_tables.database import damage_finding
from neotoma_core.comparison.faults import read_broken_references
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.lineage.one_user import own_rows
from neotoma_core.merge.plan import registry_of
from neotoma_core.neotoma.frames import ORIGIN
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.rebuild.newer_release import newer_release
from neotoma_core.recovery.applying import Applied
from neotoma_core.recovery.conflicts.files import conflicts_file, place_of_reingested
from neotoma_core.recovery.merging_findings import merging_findings
from neotoma_core.recovery.plan import RecoveryPlan
from neotoma_core.recovery.report import (
    SHOWN_CONFLICTS,
    BackupContribution,
    ConflictSummary,
    Contents,
    EvidenceSummary,
    NotUsed,
    RawFileSummary,
    RecoveryReport,
    ReingestedSummary,
    RuinSummary,
)
from neotoma_core.recovery.run.request import RecoveryRun
from neotoma_core.report.findings import (
    Finding,
    before,
    reduction_fails,
    registry_findings,
    unreadable,
    without_schema,
)
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.evidence import ruin_evidence
from neotoma_core.runs.left_over import find_left_behind
from neotoma_core.snapshots.report import summarise
from neotoma_core.snapshots.rules_report import rules_used
from neotoma_core.sources.altered_rows import findings_of_altered
from neotoma_core.sources.carrying_findings import carrying_findings
from neotoma_core.sources.extract import NEVER, Extract, Span, span_of, widest

_LISTED: Final = 1_000  # entities that other rules read otherwise
_OBSERVED: Final = ("observations", "relationship_observations")


def report_planned(plan: RecoveryPlan, seconds: Mapping[str, float]) -> RecoveryReport:
    """Return the report of a plan that has not been carried out."""
    run = plan.run
    return RecoveryReport(
        run=run.folders.name,
        outcome="planned",
        target=str(run.path),
        target_existed=run.target_existed,
        mode=run.request.mode,
        evidence=_evidence(plan),
        backups=tuple(_contribution(plan, extract) for extract in plan.backups),
        not_used=tuple(_not_used(plan)),
        tables=plan.counts,
        conflicts=_conflicts(plan),
        reingested=ReingestedSummary(
            plan.reingested.observations,
            run.request.policy.reingested,
            plan.reingested.entities_differ,
            place_of_reingested(plan),
        ),
        quarantine=str(run.folders.quarantine) if run.folders.quarantine.exists() else None,
        derived=tuple(summarise(recomputed) for recomputed in plan.derived),
        raw_files=RawFileSummary(
            plan.raw.copies.height,
            plan.raw.bytes,
            tuple(plan.raw.repairs["name"]),
            plan.raw.missing,
            plan.raw.damaged,
        ),
        writes=plan.writes,
        before=_before(plan.target),
        after=_after(plan),
        checks=(),
        findings=tuple(_findings(plan)),
        rules=rules_used(
            plan.rules.choice,
            Counter(plan.entities.differing["rules"]),
            plan.entities.differing["entity_id"].head(_LISTED),
        ),
        seconds=dict(seconds),
        report=str(run.folders.report / "report.json"),
        undo=None,
        composition=run.composition,
        ruin=_ruin(run),
    )


def report_published(
    plan: RecoveryPlan, planned: RecoveryReport, applied: Applied, seconds: Mapping[str, float]
) -> RecoveryReport:
    """Return the report of a plan that was carried out."""
    lost = tuple(sorted({*planned.raw_files.missing, *applied.raw_failed}))
    return replace(
        planned,
        outcome="published",
        evidence=replace(planned.evidence, folder=str(plan.run.folders.evidence)),
        checks=applied.checks,
        raw_files=replace(
            planned.raw_files,
            added=planned.raw_files.added - len(applied.raw_failed),
            missing=lost,
        ),
        seconds=dict(seconds),
        undo=undo_command(plan.run),
    )


def save_report(plan: RecoveryPlan, report: RecoveryReport) -> None:
    """Keep the report in the vault."""
    make_folders(plan.report_folder)
    write_file(plan.report_folder / "report.json", (report.to_json() + "\n").encode())


def _evidence(plan: RecoveryPlan) -> EvidenceSummary:
    kept = (*ruin_evidence(plan.run), *plan.evidence)
    return EvidenceSummary(
        "",
        len(kept),
        sum(evidence.size for evidence in kept),
        plan.raw_listing.files.height,
        int(plan.raw_listing.files["size"].sum()),
    )


def _ruin(run: RecoveryRun) -> RuinSummary | None:
    ruin = run.ruin
    if ruin is None:
        return None
    means = "its tables are whole" if ruin.base else ruin.means or None
    return RuinSummary(ruin.state, ruin.problem, means, ruin.advice or None)


def _contribution(plan: RecoveryPlan, extract: Extract) -> BackupContribution:
    offered = extract.offer(BY_NAME["observations"])
    merged = plan.merge.rows_after("observations")
    return BackupContribution(
        extract.database.label,
        extract.database.shown,
        extract.database.environment,
        offered.rows.height + offered.alike,
        *extract.span,
        merged.filter(pl.col(ORIGIN) == extract.database.number).height,
    )


def _span_after(plan: RecoveryPlan) -> Span:
    """Return the first and last ``observed_at`` there will be."""
    held = plan.target.tables.get("observations") if plan.target else None
    merged = span_of(plan.merge.rows_after("observations"))
    return widest(merged, held.unread_span if held else NEVER)


def _not_used(plan: RecoveryPlan) -> Iterator[NotUsed]:
    for left_out in plan.run.left_out:
        yield NotUsed(str(left_out.path), left_out.reason, unreadable=True)
    for path in plan.run.repeated:
        reason = "the same file, or the same bytes, as an earlier backup"
        yield NotUsed(str(path), reason, unreadable=False)


def _label_conflicts(plan: RecoveryPlan) -> pl.DataFrame:
    """Return the conflicts with the backup's name; in safe mode nothing is kept by the mode."""
    open_still = pl.lit(plan.request.mode == "safe") & (pl.col("by") == "mode")
    return plan.merge.conflicts.with_columns(
        pl.col("backup").replace_strict(plan.labels, return_dtype=pl.String),
        pl.when(~open_still).then("keep"),
    )


def _conflicts(plan: RecoveryPlan) -> ConflictSummary:
    conflicts = _label_conflicts(plan)
    first = conflicts.head(SHOWN_CONFLICTS).to_dicts()
    by = dict(conflicts["by"].value_counts().iter_rows())
    three_way = by.get("three-way", 0)
    undecided = by.get("mode", 0) + by.get("unique", 0)
    return ConflictSummary(
        conflicts.height - three_way, undecided, three_way, conflicts_file(plan), tuple(first)
    )


def _before(target: Extract | None) -> Contents:
    if target is None:
        return Contents(0, 0, 0, 0, None, None)
    read = {table.name: table.read for table in target.tables.values()}
    return Contents(
        read.get("observations", 0),
        read.get("entities", 0),
        read.get("entity_snapshots", 0),
        read.get("relationship_snapshots", 0),
        *target.span,
    )


def _after(plan: RecoveryPlan) -> Contents:
    before = _before(plan.target)
    added = {name: merge.inserted.height for name, merge in plan.merge.tables.items()}
    entity, relationship = plan.entities.change, plan.relationships.change
    return Contents(
        before.observations + added["observations"],
        before.entities + added["entities"],
        before.entity_snapshots + entity.inserted - entity.removed.height,
        before.relationship_snapshots + relationship.inserted - relationship.removed.height,
        *_span_after(plan),
    )


def _findings(plan: RecoveryPlan) -> Iterator[Finding]:
    """Yield what the user should know beyond the numbers of the plan."""
    yield from find_left_behind(plan.run)
    for secured in plan.evidence:
        yield from (*map(damage_finding, secured.damaged), *secured.notes)
    for backup in plan.run.backups:
        if backup.cut_short:
            detail = f"{backup.cut_short}; what comes after, raw files for one, is not known"
            yield Finding("cut-short", backup.shown, detail)
    if plan.target:
        for table in plan.target.tables.values():
            if table.broken:
                detail = f"{table.broken:,} rows break the table's rules; they stay as they are"
                yield Finding("broken-in-target", table.name, detail)
        yield from before(read_broken_references(plan.target.whole))
    yield from carrying_findings(plan.carrying, plan.merge)
    for table, column, rows, _ in plan.merge.dangling.iter_rows():
        detail = f"{rows:,} references led nowhere before the merge and still do"
        yield Finding("dangling", f"{table}.{column}", detail)
    yield from merging_findings(plan.merge)
    yield from findings_of_altered(plan.merge, plan.labels)
    yield from plan.stale.findings(str(plan.run.path))
    yield from _unreadable(plan)
    for reduction in (recomputed.reduction for recomputed in plan.derived):
        for entity_type, entities in reduction.schemaless.iter_rows():
            yield without_schema(entity_type, entities)
    yield from starmap(reduction_fails, plan.entities.reduction.failed.iter_rows())
    yield from registry_findings(plan.rules.registry)
    yield from _newer(plan)
    yield from plan.erasures.findings()


def _newer(plan: RecoveryPlan) -> Iterator[Finding]:
    """Yield what in the databases is of a Neotoma newer than those that are known."""
    for extract in (*([plan.target] if plan.target else ()), *plan.backups):
        tables = [table.stored for table in extract.tables.values()]
        own = registry_of(extract.rows("schema_registry"))
        yield from newer_release(extract.database.shown, tables, extract.others, own)


def _unreadable(plan: RecoveryPlan) -> Iterator[Finding]:
    """Yield the observations that take no part; of one user's only, where one is named."""
    for table, recomputed in zip(_OBSERVED, plan.derived, strict=True):
        own = own_rows(plan.merge.rows_after(table), plan.request.user)
        left_out = recomputed.reduction.unreadable
        named = left_out.join(own, left_on="observation_id", right_on="id", how="semi")
        for observation, reason in named.select("observation_id", "reason").iter_rows():
            yield unreadable(observation, reason)
