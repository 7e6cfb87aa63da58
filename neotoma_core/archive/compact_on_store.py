"""Compacting an archive on a store: compacted in a mirror of its own, then published.

all files read from the store now → rewritten, proven → published in one commit a table; again where
another run committed meanwhile → old files removed from the store, once their retention is over

Order: nothing is removed before everything is published. What is removed was dropped by a commit,
or left by a run that was killed, longer ago than the retention; the store's own clock says when an
object was made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.archive.compact import CompactRequest, compact_archive, plan_only
from neotoma_core.archive.compaction_report import CompactionReport
from neotoma_core.archive_mirror.mirror import Mirror, Synced, require_archive, sync
from neotoma_core.archive_mirror.naming import rename_errors, rename_report
from neotoma_core.archive_mirror.publishing import publish
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.unnamed import strays_of
from neotoma_core.errors import ArchiveBusy, UsageError
from neotoma_core.files.atomic import announce
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import SCHEMAS
from neotoma_core.stores.opening import time_of
from neotoma_core.stores.store import Store

STEPS: Final = ("old_object_removed",)
_TRIES: Final = 5


def compact_on_store(
    store: Store, request: CompactRequest, scratch: Path, now: datetime, progress: Progress
) -> CompactionReport:
    """Compact the archive on a store, whatever archive the ``request`` names.

    ``scratch``: an empty folder for all its files. Raises what ``compact_archive`` raises,
    RemoteError and its kinds, ArchiveBusy where others keep committing, and UsageError for pins.
    """
    for number in range(_TRIES - 1):
        try:
            return _compact(store, request, scratch / str(number), now, progress)
        except ArchiveBusy:  # another run was first: decide again on what it made
            continue
    return _compact(store, request, scratch / str(_TRIES), now, progress)


def plan_on_store(
    store: Store, request: CompactRequest, scratch: Path, progress: Progress
) -> CompactionReport:
    """Return what ``compact_on_store`` would do; raises what it does."""
    with _bring(store, request, scratch, progress) as (synced, here):
        report = plan_only(here, progress)
    return rename_report(report, synced.mirror.folder, store.url)


def _compact(
    store: Store, request: CompactRequest, scratch: Path, now: datetime, progress: Progress
) -> CompactionReport:
    with _bring(store, request, scratch, progress) as (synced, here):
        report = compact_archive(here, now, progress)
        publish(synced, progress)
        _remove_old(synced, request)
    return rename_report(report, synced.mirror.folder, store.url)


@contextmanager
def _bring(
    store: Store, request: CompactRequest, scratch: Path, progress: Progress
) -> Iterator[tuple[Synced, CompactRequest]]:
    """Bring the archive here, with the request for it; errors name what is on the store."""
    if request.pin or request.unpin:
        raise UsageError("--pin and --unpin are for an archive in a folder; leave them out")
    mirror = Mirror(scratch / "archive", store)
    with rename_errors(mirror.folder, store.url):
        synced = require_archive(sync(mirror, progress, dropped=True))
        yield synced, replace(request, archive=mirror.folder)


def _remove_old(synced: Synced, request: CompactRequest) -> None:
    """Remove from the store what the compaction removed from the mirror, and old leftovers."""
    store, folder = synced.mirror.store, synced.mirror.folder
    gone = [name for name in synced.listing.data if not (folder / name).exists()]
    for name in (*gone, *_old_leftovers(synced, request)):
        store.delete(name)
        announce("old_object_removed")


def _old_leftovers(synced: Synced, request: CompactRequest) -> Iterator[str]:
    """Yield what killed runs left, if no run that is still going can have made it."""
    archive = open_archive(synced.mirror.folder)
    strays = [
        f"{table}/{stray.path.name}"
        for table in SCHEMAS
        for stray in strays_of(archive, table, archive.record)
        if stray.is_needless or stray.is_repeated
    ]
    made = [synced.listing.data[name] for name in strays if name in synced.listing.data]
    if made:
        before = time_of(synced.mirror.store) - request.retention
        yield from (one.name for one in made if one.modified < before)
