"""Turning what a rebuild decided and did into its report, and keeping that in the vault."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from neotoma_core.comparison.faults import read_broken_references
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.pages.keeping import PAGE, keep_page
from neotoma_core.rebuild.deciding import Tally
from neotoma_core.rebuild.drift import DriftRecord
from neotoma_core.rebuild.newer_release import newer_release
from neotoma_core.rebuild.page.page import rebuild_page
from neotoma_core.rebuild.reading import Reading
from neotoma_core.rebuild.report import (
    DriftItem,
    DriftSummary,
    RebuildReport,
)
from neotoma_core.report.findings import (
    Finding,
    before,
    reduction_fails,
    registry_findings,
    unreadable,
    without_schema,
)
from neotoma_core.report.unfinished import UnfinishedStores, findings_of_unfinished
from neotoma_core.runs.commands import command
from neotoma_core.snapshots.report import DerivedSummary
from neotoma_core.snapshots.rules_report import rules_used
from neotoma_core.vault.folder import RunFolders


def make_report(
    reading: Reading,
    tallies: Sequence[Tally],
    drift: DriftRecord,
    seconds: Mapping[str, float],
    unfinished: UnfinishedStores | None = None,
) -> RebuildReport:
    """Return the report of what was decided; nothing is written yet."""
    noticed = findings_of_unfinished(unfinished) if unfinished else ()
    run = reading.run
    return RebuildReport(
        run=run.folders.name,
        outcome="planned",
        target=str(reading.target),
        evidence=None,
        evidence_bytes=reading.evidence.size,
        observations=reading.spilled["observations"].rows,
        entities=reading.stored["entities"].rows,
        narrowed=reading.asked.narrowed,
        buckets=reading.spilled["observations"].buckets.count,
        derived=tuple(_summary_of(tally) for tally in tallies),
        drift=tuple(_drift(tally) for tally in tallies),
        drifted=tuple(_items(drift.first)),
        drift_file=str(drift.file) if drift.file else None,
        writes=sum(tally.writes for tally in tallies),
        cut_off=None,
        out=None,
        checks=(),
        findings=(*findings(reading, tallies), *noticed),
        unfinished=unfinished,
        rules=rules_used(
            reading.rules.choice,
            sum((tally.otherwise for tally in tallies), Counter()),
            [entity for tally in tallies for entity, _ in tally.differing],
        ),
        seconds=dict(seconds),
        report=str(run.folders.report / "report.json"),
        undo=None,
    )


def save(folders: RunFolders, report: RebuildReport) -> RebuildReport:
    """Keep the report and its page in the vault; return the report that names the page."""
    stale = report.drifts and report.outcome in ("checked", "planned")
    target = Path(report.target)
    following = command("rebuild", target=target, vault=folders.vault) if stale else None
    make_folders(folders.report)
    made = keep_page(folders.report / PAGE, lambda: rebuild_page(report, following))
    kept = replace(report, page=made)
    write_file(folders.report / "report.json", (kept.to_json() + "\n").encode())
    return kept


def findings(reading: Reading, tallies: Sequence[Tally]) -> Iterator[Finding]:
    """Yield what the user should know beyond the numbers of the plan."""
    for tally in tallies:
        for observation, reason in tally.unreadable:
            yield unreadable(observation, reason)
        more = tally.left_out - len(tally.unreadable)
        if more:
            yield Finding("unreadable", tally.table.name, f"and {more:,} observations more")
        for entity, reason in tally.failed:
            yield reduction_fails(entity, reason)
        more = tally.fails - len(tally.failed)
        if more:
            yield Finding("reduction-fails", tally.table.name, f"and {more:,} entities more")
        for entity_type, entities in sorted(tally.schemaless.items()):
            yield without_schema(entity_type, entities)
    yield from before(read_broken_references(reading.whole))
    yield from registry_findings(reading.rules.registry)
    target, registry = str(reading.target), reading.rules.registry
    yield from newer_release(target, reading.stored.values(), reading.others, registry)
    yield from reading.erased.findings()


def _summary_of(tally: Tally) -> DerivedSummary:
    return DerivedSummary(
        tally.table.name,
        tally.inserted,
        tally.updated,
        tally.removed,
        tally.unchanged,
        tally.exact,
    )


def _drift(tally: Tally) -> DriftSummary:
    kinds = tally.drift
    return DriftSummary(
        tally.table.name,
        kinds["missing"],
        kinds["stale"],
        kinds["unexpected"],
        kinds["wrong-count"],
        dict(sorted(tally.reasons.items())),
        tally.accepted,
    )


def _items(drifted: pl.DataFrame) -> Iterator[DriftItem]:
    for table, kind, key, entity_type, reason, columns, fields in drifted.iter_rows():
        yield DriftItem(
            table, kind, key, entity_type, reason, tuple(columns or ()), tuple(fields or ())
        )
