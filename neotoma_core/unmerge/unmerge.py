"""Undoing a merge of entities: rows go back to what the archive says they were.

evidence → the merge and its rows, from the database and the archive → plan → snapshots → ask →
one proven transaction
"""

import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.errors import UsageError, run_record
from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.times import iso
from neotoma_core.publication.replaceable import require_replaceable
from neotoma_core.rebuild.newer_release import require_no_cutover
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ARCHIVED_AT, ODD, ROW_HASH, SCHEMAS
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.commands import undo_command
from neotoma_core.runs.evidence import require_space, secure_database, write_manifest
from neotoma_core.runs.run import TargetRun
from neotoma_core.snapshots.choosing import AUTO
from neotoma_core.unmerge.applying import Unmerging, apply_unmerge, recompute
from neotoma_core.unmerge.merges import plan_of, read_known, require_last, require_merge
from neotoma_core.unmerge.plan import EntityMerge, UnmergePlan
from neotoma_core.unmerge.reading import read_source
from neotoma_core.unmerge.report import UnmergeReport

Confirm = Callable[[UnmergeReport], bool]

_SPLIT_KEY: Final = "midden-unmerge:"


@dataclass(frozen=True, slots=True)
class UnmergeRequest:
    """Which merge, by the archive in which folder.

    ``incomplete``: although the archive lacks some rows. ``rules``: by which to reduce; see
    ``snapshots.choosing``.
    """

    merge_id: str
    archive: Path
    incomplete: bool = False
    rules: str = AUTO


def unmerge(
    run: TargetRun, request: UnmergeRequest, confirm: Confirm, progress: Progress
) -> UnmergeReport:
    """Undo one merge. ``confirm`` is shown the plan and may decline it.

    Raises UsageError for a merge that cannot be undone, ArchiveError, KeyMissing,
    VerificationFailed, TargetLocked, TargetChanged; then nothing was changed.
    """
    target = run.target.path
    require_replaceable(target)
    clock = Clock()
    archive = open_archive(request.archive)
    progress.begin("evidence", require_space(run))
    evidence = secure_database(run, run.target, progress)
    write_manifest(run, (evidence,))
    clock.lap("evidence")
    source = read_source(run, evidence, request.rules)
    require_no_cutover(target, source.stored, "undoing a merge", rewrites=True)
    merge = require_merge(source, request.merge_id)
    require_last(source, merge)
    plan = plan_of(merge, read_known(source, archive.path))
    missing = plan.missing(merge)
    if missing and not request.incomplete:
        raise UsageError(
            f"merge {merge.id}: it rewrote {merge.rewritten:,} observations and the archive saw "
            f"{plan.observations.height:,} of them before; nothing was changed; give those back "
            "with --incomplete"
        )
    if plan.is_empty:
        raise UsageError(
            f"merge {merge.id}: the archive has not seen its rows as they were before; nothing "
            "was changed"
        )
    lost = _read_lost_rows(archive.path, plan)
    unmerging = Unmerging(merge, plan, lost, _split_row(merge, plan, iso(run.started)))
    derived = recompute(source, unmerging, iso(run.started))
    clock.lap("plan")
    report = UnmergeReport(
        run=run.folders.name,
        outcome="planned",
        target=str(target),
        archive=str(archive.path),
        merge=merge.id,
        entity=merge.merged,
        survivor=merge.survivor,
        moved_observations=plan.observations.height,
        missing=missing,
        moved_edges=plan.edges.height,
        restored_edges=lost.height,
        derived=derived.summaries,
        checks=(),
        seconds=clock.seconds,
        undo=None,
    )
    if confirm(report):
        clock.lap("confirm")
        progress.begin("publish")
        undo = run_record().undo = undo_command(run)
        checks = apply_unmerge(source, evidence, unmerging, derived)
        clock.lap("publish")
        report = replace(report, outcome="unmerged", checks=checks, undo=undo)
    return replace(report, seconds=clock.seconds)


def _read_lost_rows(archive: Path, plan: UnmergePlan) -> pl.DataFrame:
    """Return the edges that come back, whole."""
    name = "relationship_observations"
    if plan.lost.is_empty():
        return pl.DataFrame(schema=dict(SCHEMAS[name]))
    rows = read_table(open_archive(archive), name).require_whole()
    return rows.join(plan.lost, on=[ROW_HASH, ARCHIVED_AT], how="semi")


def _split_row(merge: EntityMerge, plan: UnmergePlan, now: str) -> pl.DataFrame:
    """Return the audit row of the unmerge: without it, other copies' merge would count again."""
    key = f"{_SPLIT_KEY}{merge.id}:{now}"
    digest = hashlib.sha256(key.encode()).hexdigest()
    cuts = (0, 8, 12, 16, 20, 32)
    identifier = "-".join(digest[a:b] for a, b in itertools.pairwise(cuts))
    row = {
        "id": identifier,
        "user_id": merge.user,
        "source_entity_id": merge.survivor,
        "new_entity_id": merge.merged,
        "predicate": stringify({"unmerge": merge.id}),
        "reason": "the merge was undone",
        "split_by": "midden",
        "observations_rewritten": plan.observations.height,
        "idempotency_key": key,
        "created_at": now,
    }
    empty = pl.DataFrame(schema=dict(SCHEMAS["entity_splits"]))
    made = pl.DataFrame([row], schema={n: t for n, t in empty.schema.items() if n in row})
    return pl.concat([empty, made], how="diagonal").with_columns(
        pl.lit(None, pl.String).alias(ODD), pl.lit("").alias(ROW_HASH)
    )
