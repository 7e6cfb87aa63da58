"""Appending what is new in a database to its archive on a store.

the mirror has what the store has → copy → append to the mirror → publish; again where another run
committed meanwhile

The copy is made after the mirror was brought to the store's state. So what it lacks was gone from
the database after everything in the archive was archived, also by another run on another machine
whose clock is wrong, and is not a row that another run has seen and this one has not yet.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from neotoma_core.archive.append import (
    ArchiveRequest,
    append_rows,
    keep_report,
    plan_archive,
)
from neotoma_core.archive.report import ArchiveReport, TableArchived
from neotoma_core.archive_mirror.mirror import (
    Mirror,
    mirror_in,
    note_address,
    require_own_place,
    sync,
)
from neotoma_core.archive_mirror.naming import rename_errors, rename_report
from neotoma_core.archive_mirror.publishing import publish
from neotoma_core.errors import ArchiveBusy, run_record
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Whereabouts, target_run
from neotoma_core.runs.left_over import missing_target
from neotoma_core.runs.private_copy import PRIVATE, PrivateCopy, copy_into_scratch
from neotoma_core.runs.run import Run
from neotoma_core.stores.store import Store

_TRIES: Final = 10
"""Each time that a run has to decide again, another one has committed something."""


@dataclass(frozen=True, slots=True)
class _Appending:
    """A run that appends. ``published``: what it committed before it had to decide again."""

    run: Run
    mirror: Mirror
    request: ArchiveRequest
    progress: Progress
    published: list[tuple[ArchiveReport, TableArchived]] = field(default_factory=list)


def archive_to_store(
    asked: Whereabouts,
    store: Store,
    now: datetime,
    progress: Progress,
    *,
    same_database: bool = False,
) -> ArchiveReport:
    """Append what is new in a database to the archive on a store. Of several runs none waits.

    Raises RemoteError and its kinds, ArchiveBusy where others keep committing, and what
    ``append_rows`` and ``private_copy`` raise. What was published before an error stays; the next
    run adds the rest.
    """
    with _begin(asked, store, now, progress, same_database=same_database) as appending:
        for _ in range(_TRIES - 1):
            try:
                return _append(appending)
            except ArchiveBusy:  # another run was first: decide again on what it made
                continue
        return _append(appending)


def plan_to_store(
    asked: Whereabouts,
    store: Store,
    now: datetime,
    progress: Progress,
    *,
    same_database: bool = False,
) -> ArchiveReport:
    """Return what ``archive_to_store`` would append; raises what it does."""
    with _begin(asked, store, now, progress, same_database=same_database) as appending:
        require_own_place(sync(appending.mirror, appending.progress))
        copy = copy_into_scratch(appending.run)
        return _rename(appending, plan_archive(copy, appending.request, appending.progress))


@contextmanager
def _begin(
    asked: Whereabouts, store: Store, now: datetime, progress: Progress, *, same_database: bool
) -> Iterator[_Appending]:
    """Begin a run on the mirror of a store; errors name what is on the store."""
    with target_run(asked, now) as run:
        if run.target is None:
            raise missing_target(asked.target, asked.vault)
        mirror = mirror_in(asked.vault, store)
        request = ArchiveRequest(mirror.folder, same_database, called=store.url)
        with rename_errors(mirror.folder, store.url):
            note_address(mirror)
            yield _Appending(run, mirror, request, progress)


def _append(appending: _Appending) -> ArchiveReport:
    synced = require_own_place(sync(appending.mirror, appending.progress))
    shutil.rmtree(appending.run.folders.work / PRIVATE, ignore_errors=True)
    copy = copy_into_scratch(appending.run)
    report = _rename(appending, _stage(appending, copy))
    publish(synced, appending.progress, partial(_note, appending, report))
    return keep_report(copy, _join_published(appending, report))


def _stage(appending: _Appending, copy: PrivateCopy) -> ArchiveReport:
    """Append to the mirror, which is nobody's archive: so it is not said to be done."""
    besides = run_record().besides
    said = list(besides)
    try:
        report = append_rows(copy, appending.request, appending.progress)
    finally:
        besides[:] = said
    # What no commit names may be a run's on another machine that is still going.
    findings = tuple(one for one in report.findings if one.kind != "archive-unnamed")
    return replace(report, findings=findings)


def _note(appending: _Appending, report: ArchiveReport, table: str) -> None:
    appending.published.extend((report, one) for one in report.archived if one.table == table)


def _join_published(appending: _Appending, report: ArchiveReport) -> ArchiveReport:
    """Return a report with what was committed by tries before it, too."""
    before = [one for earlier, one in appending.published if earlier is not report]
    if not before:
        return report
    archived = list(report.archived)
    for done in before:
        for place, one in enumerate(archived):
            if one.table == done.table:
                appended, changed = one.appended + done.appended, one.changed + done.changed
                archived[place] = replace(one, appended=appended, changed=changed)
    return replace(
        report,
        outcome="archived",
        archived_at=report.archived_at or appending.published[-1][0].archived_at,
        archived=tuple(archived),
        appended=sum(one.appended for one in archived),
    )


def _rename(appending: _Appending, report: ArchiveReport) -> ArchiveReport:
    return rename_report(report, appending.mirror.folder, appending.request.called)
