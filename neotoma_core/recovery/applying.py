"""Carrying out a recovery plan: staging, raw files, one transaction."""

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from neotoma_core.neotoma.encryption.columns import seal_rows
from neotoma_core.neotoma.frames import ROWID, name_in_database, values_of
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.publication.proofs import Check
from neotoma_core.publication.staging import (
    Picks,
    TableWrite,
    new_staging,
    stage_derived,
    stage_removals,
    stage_rows,
)
from neotoma_core.publication.transaction import Publication, publish
from neotoma_core.recovery.plan import RecoveryPlan
from neotoma_core.recovery.verification import verify_publication
from neotoma_core.report.progress import Progress
from neotoma_core.runs.evidence import states_when_locked
from neotoma_core.runs.left_over import require_kept
from neotoma_core.runs.raw_files import bring_over, require_space
from neotoma_core.snapshots.deciding import Decided
from neotoma_core.sqlite.copies import FileState, read_file_state
from neotoma_core.vault.folder import require_room


@dataclass(frozen=True, slots=True)
class Applied:
    """What was proven before the commit, and raw files that could not be copied after all.

    ``seconds``: how long the target was locked.
    """

    checks: tuple[Check, ...]
    raw_failed: tuple[str, ...]
    seconds: float


def apply_plan(plan: RecoveryPlan, progress: Progress) -> Applied:
    """Write the plan into the target, all of it or nothing; see ``file_to_build`` for a ruin.

    Raw files come first: what a committed row refers to is on disk. Left over by a failed run
    they do no harm, since their names are their content.
    """
    require_space(plan.raw)
    writes = _writes(plan)
    with ThreadPoolExecutor(max_workers=1) as pool:
        copying = pool.submit(bring_over, plan.run, plan.raw, progress)
        staging = _stage(plan, writes)
        raw_failed = copying.result()
    # The rows, and a journal of the pages they land on.
    require_room(plan.target_folder, 2 * staging.stat().st_size, "target")
    progress.begin("publish")
    locked = time.monotonic()
    checks = _publish(plan, staging, writes)
    return Applied(checks, raw_failed, round(time.monotonic() - locked, 3))


def _publish(plan: RecoveryPlan, staging: Path, writes: Sequence[TableWrite]) -> tuple[Check, ...]:
    ruin = plan.run.ruin
    target = plan.run.path if ruin is None else file_to_build(plan)
    if ruin is not None and ruin.base is not None:
        shutil.copyfile(ruin.base, target)
    if plan.target is None and ruin is None:
        require_kept(plan.run)
    return publish(
        Publication(
            target, staging, _as_read(plan, target), writes, plan.release, _copy_taken(plan, writes)
        ),
        lambda connection, changes: verify_publication(connection, plan, writes, changes),
    )


def file_to_build(plan: RecoveryPlan) -> Path:
    """Return the file that is built where the target is a ruin, to take its place."""
    return plan.work / "built.db"


def _as_read(plan: RecoveryPlan, target: Path) -> dict[str, FileState]:
    """Return what the target's files must be once it is locked, by suffix."""
    if plan.target is None:
        return {}
    if plan.run.ruin is not None:
        return {"": read_file_state(target)}
    (evidence,) = (e for e in plan.evidence if e.database == plan.target.database)
    return states_when_locked(evidence, plan.target.whole)


def _writes(plan: RecoveryPlan) -> tuple[TableWrite, ...]:
    """Return the tables that gain, change or lose rows, in the order in which they were merged."""
    whole = tables_taken_whole(plan)
    return tuple(
        TableWrite(
            plan.carrying.tables[name],
            tuple(values_of(merge.merged)),
            loses=name in plan.merge.removed,
            whole=name in whole,
        )
        for name, merge in plan.merge.tables.items()
        if merge.inserted.height or merge.replaced.height or name in plan.merge.removed
    )


def tables_taken_whole(plan: RecoveryPlan) -> frozenset[str]:
    """Return the tables that take every row of the only backup, as it is and in its order.

    They need not be staged, which would write every row once more. The rows of one backup are
    merged in the order in which they lie there.
    """
    if len(plan.backups) != 1:
        return frozenset()
    (backup,) = plan.backups
    held = plan.target.tables if plan.target else {}
    return frozenset(
        name
        for name, merge in plan.merge.tables.items()
        if name in BY_NAME
        and name in backup.tables
        and backup.source.tables[name].rowid == "rowid"
        and (name not in held or not held[name].read)
        and backup.source.tables[name].columns.issuperset(values_of(merge.merged))
        and all(name == name_in_database(name) for name in values_of(merge.merged))
        and merge.merged.height == backup.tables[name].read
        and not merge.rewritten.height
    )


def _copy_taken(plan: RecoveryPlan, writes: Sequence[TableWrite]) -> Path | None:
    return plan.backups[0].whole if any(write.whole for write in writes) else None


def _stage(plan: RecoveryPlan, writes: Sequence[TableWrite]) -> Path:
    path = plan.work / "staging.db"
    extracts = (*plan.backups, *([plan.target] if plan.target else ()))
    sources = {extract.database.number: extract.source for extract in extracts}
    with new_staging(path) as staging:
        for write in writes:
            if write.whole:
                continue
            merge = plan.merge.tables[write.table.name]
            picks = Picks(merge.inserted.vstack(merge.replaced), merge.rewritten)
            stage_rows(staging, write, picks, sources)
            if write.loses:
                rows = plan.merge.removed[write.table.name]
                stage_removals(staging, write.table, rows[ROWID])
    for decided in plan.derived:
        written = _as_stored(plan, decided)
        stage_derived(path, decided.table, written, decided.change.removed)
    return path


def _as_stored(plan: RecoveryPlan, decided: Decided) -> pl.DataFrame:
    """Return the derived rows to write as the target keeps them: staging is a file already."""
    # By key, so that the index of the target is walked through and not jumped about in.
    written = decided.change.written.sort(*decided.table.key)
    if plan.key is None or not plan.sealed:
        return written
    return seal_rows(decided.table, written, plan.key)
