"""Archiving and exporting as steps that may each be repeated, for whoever schedules them."""

from datetime import datetime
from pathlib import Path

from neotoma_core.archive.append import ArchiveRequest, append_database, plan_archive
from neotoma_core.archive.compact import CompactRequest, compact_archive, plan_only
from neotoma_core.archive.compact_on_store import compact_on_store, plan_on_store
from neotoma_core.archive.compaction_report import CompactionReport
from neotoma_core.archive.on_store import archive_to_store, plan_to_store
from neotoma_core.archive.report import ArchiveReport
from neotoma_core.files.scratch import private_scratch
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import private_copy
from neotoma_core.settings.environment import store_options
from neotoma_core.stores.names import url_of
from neotoma_core.stores.opening import hold_store


def archive_target(
    target: Path, vault: Path, request: ArchiveRequest, now: datetime, progress: Progress
) -> ArchiveReport:
    """Copy a database and append what is new in it, to a folder or to a store by its address.

    Raises what ``append_database`` raises, and ``archive_to_store`` for a store.
    """
    asked, same = Whereabouts(target, vault), request.same_database
    url = url_of(request.to)
    if url is not None:
        with hold_store(url, store_options()) as store:
            return archive_to_store(asked, store, now, progress, same_database=same)
    with private_copy(asked, now) as copy:
        return append_database(copy, request, progress)


def plan_target(
    target: Path, vault: Path, request: ArchiveRequest, now: datetime, progress: Progress
) -> ArchiveReport:
    """Return what ``archive_target`` would append; raises what it does."""
    asked, same = Whereabouts(target, vault), request.same_database
    url = url_of(request.to)
    if url is not None:
        with hold_store(url, store_options()) as store:
            return plan_to_store(asked, store, now, progress, same_database=same)
    with private_copy(asked, now) as copy:
        return plan_archive(copy, request, progress)


def compact_place(request: CompactRequest, now: datetime, progress: Progress) -> CompactionReport:
    """Compact an archive in a folder, or on a store by its address.

    Raises what ``compact_archive`` raises, and ``compact_on_store`` for a store.
    """
    url = url_of(request.archive)
    if url is not None:
        with hold_store(url, store_options()) as store, private_scratch() as scratch:
            return compact_on_store(store, request, scratch, now, progress)
    return compact_archive(request, now, progress)


def plan_compaction(request: CompactRequest, progress: Progress) -> CompactionReport:
    """Return what ``compact_place`` would do; raises what it does."""
    url = url_of(request.archive)
    if url is not None:
        with hold_store(url, store_options()) as store, private_scratch() as scratch:
            return plan_on_store(store, request, scratch, progress)
    return plan_only(request, progress)
