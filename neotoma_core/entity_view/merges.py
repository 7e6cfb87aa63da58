"""Merges and splits of entities, listed, and whether each merge can be undone."""

from collections.abc import Iterator
from pathlib import Path

from neotoma_core.archive_tables.tables import is_archive
from neotoma_core.entity_view.merges_report import ListedMerge, MergesReport
from neotoma_core.entity_view.opening import View
from neotoma_core.entity_view.state import as_read
from neotoma_core.errors import ArchiveError, TargetError, UsageError
from neotoma_core.rebuild.newer_release import require_no_cutover
from neotoma_core.unmerge.merges import Known, merges_in, plan_of, read_known, require_last
from neotoma_core.unmerge.plan import EntityMerge
from neotoma_core.unmerge.reading import UnmergeSource
from neotoma_core.words.shell_words import midden_command

_NO_ARCHIVE = "no archive saw its rows before the merge"


def list_merges(view: View, archive: Path, vault: Path | None = None) -> MergesReport:
    """List what a database tells of merges and splits, the first one first.

    ``archive``: the one an unmerge would go by. ``vault``: where the user named one. What of the
    archive cannot be read is the reason why nothing can be undone.
    """
    reading = view.reading
    source = UnmergeSource(reading.run, reading.whole, dict(reading.stored), reading.rules)
    known, barred = _read_deciding(source, archive)
    listed = [_list_merge(source, merge, known, barred) for merge in merges_in(source)]
    every = sorted([*listed, *_splits(view)], key=lambda one: (one.at or "", one.id))
    last = next((one for one in reversed(every) if one.undo in ("yes", "incomplete")), None)
    more = ["--incomplete"] if last is not None and last.undo == "incomplete" else []
    undo = (
        midden_command(
            "unmerge",
            target=view.place.path,
            then=["--merge-id", last.id, "--archive", archive, *more, "--dry-run"],
            vault=vault,
        )
        if last
        else None
    )
    return MergesReport(
        view.place.words, str(archive) if is_archive(archive) else None, tuple(every), undo
    )


def _read_deciding(source: UnmergeSource, archive: Path) -> tuple[Known | None, str]:
    """Return what decides about merges, or why none can be undone."""
    try:
        require_no_cutover(source.target, source.stored, "undoing a merge", rewrites=True)
        return (read_known(source, archive), "") if is_archive(archive) else (None, _NO_ARCHIVE)
    except TargetError as error:
        return None, str(error)
    except ArchiveError as error:
        return None, error.wrong


def _list_merge(
    source: UnmergeSource, merge: EntityMerge, known: Known | None, barred: str
) -> ListedMerge:
    undo, why, missing = "no", barred, 0
    if known is not None:
        undo, why, missing = _judge(source, merge, known)
    return ListedMerge(
        "merge",
        merge.id,
        merge.at,
        merge.merged,
        merge.survivor,
        merge.user,
        merge.rewritten,
        undo,
        why or None,
        missing,
    )


def _judge(source: UnmergeSource, merge: EntityMerge, known: Known) -> tuple[str, str, int]:
    """Return whether a merge can be undone, why not, and how many observations stay behind."""
    try:
        require_last(source, merge)
    except UsageError as error:
        wrong = str(error).removeprefix(f"merge {merge.id}: ")
        return "no", wrong.replace("; nothing was changed", ""), 0
    plan = plan_of(merge, known)
    missing = plan.missing(merge)
    if plan.is_empty:
        return "no", _NO_ARCHIVE, missing
    if missing:
        return "incomplete", f"the archive never saw {missing:,} of its observations", missing
    return "yes", "", 0


def _splits(view: View) -> Iterator[ListedMerge]:
    rows = as_read(view.rows("entity_splits")).drop_nulls(
        ["id", "source_entity_id", "new_entity_id"]
    )
    for row in rows.iter_rows(named=True):
        yield ListedMerge(
            kind="split",
            id=row["id"],
            at=row["created_at"],
            entity=row["source_entity_id"],
            into=row["new_entity_id"],
            user=row["user_id"],
            observations=None,
            undo="no",
            why=None,
            missing=0,
        )
