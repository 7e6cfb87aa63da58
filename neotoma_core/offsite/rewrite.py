"""Rewriting a log on a remote without what was erased.

database archived → rows that stay, as a new beginning in one entry → what no longer counts, listed
→ deleted, if that is asked for: contents, files of backups, then entries, the oldest first

Until the entry is there, the log is what it was; from then on, what the entries before it name does
not count. Entries go last: as long as they are there, they say which contents are to go.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.errors import RemoteError
from neotoma_core.ledger.file import read_ledger
from neotoma_core.offsite.holding_backups import backups_holding
from neotoma_core.offsite.objects import find_named_objects, find_unnamed_objects, renamed_of
from neotoma_core.offsite.prune import delete_objects
from neotoma_core.offsite.rewrite_report import OldObject, RewriteReport
from neotoma_core.push.holding import Held, alone, blank_entry
from neotoma_core.push.push import raw_shipments, shipments_of
from neotoma_core.push.reading import read_anew
from neotoma_core.push.request import PushRequest
from neotoma_core.push.rows import holds_erased, write_new_rows
from neotoma_core.push.shipping import NumberTaken, Shipper
from neotoma_core.remotes.condemned import Condemned, condemned_in
from neotoma_core.remotes.holding import may_hold_erased
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.names import backup_folder, entry_name, entry_place
from neotoma_core.remotes.remote import Remote, forget_entry, read_logs
from neotoma_core.report.progress import Progress

Confirm = Callable[[RewriteReport], bool]
_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class _Begun:
    """The log as it is now. ``versions``: of the rows of its new beginning; None without one."""

    log: Log
    versions: Mapping[str, int] | None
    left_out: int
    backups: tuple[str, ...]


def rewrite_remote(
    request: PushRequest, remote: Remote, now: datetime, confirm: Confirm, progress: Progress
) -> RewriteReport:
    """Write a new beginning of this vault's log without what was erased, where it is needed.

    ``confirm`` is shown what may be deleted then, and says whether it is. Raises RemoteError where
    nothing was pushed, RemoteDenied where deleting is not allowed, and what ``push`` raises.
    """
    with alone(request.vault, remote) as scratch:
        for _ in range(_TRIES - 1):
            try:
                return _rewrite(request, remote, scratch, now, confirm, progress)
            except NumberTaken:
                continue
        return _rewrite(request, remote, scratch, now, confirm, progress)


def _rewrite(  # noqa: PLR0913, PLR0917 - what, where to, and who is asked
    request: PushRequest,
    remote: Remote,
    scratch: Path,
    now: datetime,
    confirm: Confirm,
    progress: Progress,
) -> RewriteReport:
    logs = read_logs(remote)
    held = read_anew(request, remote, logs, now, progress)
    if held.alarms:
        return RewriteReport("held", remote.name, alarms=held.alarms)
    if not held.log.entries:
        wrong = "nothing of this vault was pushed to it"
        raise RemoteError(remote.name, wrong, "push first: midden push")
    begun = _begin(request, remote, held, scratch, now, condemned_in(logs), progress)
    listed = {one.name: one.size for one in remote.store.list()}
    both = {**logs, begun.log.writer: begun.log}
    old = [OldObject(name, listed[name]) for name in _old_objects(remote, begun.log, both, listed)]
    named = find_named_objects(remote.sealing, both.values())
    strange = tuple(find_unnamed_objects(named, sorted(listed)))
    report = RewriteReport(
        outcome="unchanged" if begun.versions is None else "rewritten",
        remote=remote.name,
        versions=begun.versions or {},
        raw_files_left_out=begun.left_out,
        backups=begun.backups,
        old=tuple(old),
        findings=strange,
    )
    if not old or not confirm(report):
        return report
    _delete(remote, [one.name for one in old], progress)
    return replace(report, old=(), deleted=len(old))


def _begin(  # noqa: PLR0913, PLR0917 - what, where to
    request: PushRequest,
    remote: Remote,
    held: Held,
    scratch: Path,
    now: datetime,
    condemned: Condemned,
    progress: Progress,
) -> _Begun:
    """Ship a new beginning, if anything that counts may hold what was erased."""
    assert held.archive is not None  # noqa: S101 - there are no alarms
    log, ledger = held.log, read_ledger(request.vault)
    holding = backups_holding(request, log, ledger, scratch)
    gone = {name for name in log.raw_files if name in held.erased_files}
    here = may_hold_erased(log, ledger.lines)
    elsewhere = bool(ledger.erased.others) and holds_erased(held.archive, log, ledger.erased)
    if not (here or elsewhere or holding or gone):
        return _Begun(log, None, 0, ())
    rows = write_new_rows(held.archive, Log(log.writer), scratch, ledger.erased)
    staying = {name: size for name, size in log.raw_files.items() if name not in gone}
    blank = blank_entry(request, held, now)
    shipper = Shipper(remote, log, blank, scratch, progress, condemned=condemned)
    backups = [one for name, one in log.backups.items() if name not in holding]
    shipper.ship(
        [*shipments_of(remote, rows), *raw_shipments(request.vault, remote, held.raw_files)],
        begins=True,
        parts=tuple(part for part, _ in rows.parts),
        tables=rows.tables,
        raw_files={**staying, **held.raw_files},
        backups=tuple(backups),
        renamed=renamed_of(remote.sealing, log, staying, backups),
        condemned=log.condemned,
        erasures=ledger.lines,
        pruned=tuple(sorted(log.pruned | holding)),
    )
    return _Begun(shipper.log, rows.versions, len(gone), tuple(sorted(holding)))


def _old_objects(
    remote: Remote, log: Log, logs: Mapping[str, Log], listed: Mapping[str, int]
) -> Iterator[str]:
    """Yield what no longer counts of a log and is still there, in the order in which it goes.

    What another log names, in whichever entry, is not among it.
    """
    named = find_named_objects(remote.sealing, logs.values())
    theirs = find_named_objects(
        remote.sealing, (one for writer, one in logs.items() if writer != log.writer)
    )
    pruned = tuple(backup_folder(log.writer, one) for one in log.pruned - log.backups.keys())
    first = log.current[0].number
    for name in sorted(listed):
        is_old = name in named and not named[name].counts and name not in theirs
        is_pruned = bool(pruned) and name not in named and name.startswith(pruned)
        if is_old or is_pruned:
            yield name
    for entry in log.entries:
        name = entry_name(log.writer, entry.number)
        if entry.number < first and name in listed:
            yield name


def _delete(remote: Remote, names: list[str], progress: Progress) -> None:
    """Delete objects; an entry that went is no longer expected to be there."""
    delete_objects(remote, names, progress)
    for name in names:
        if place := entry_place(name):
            forget_entry(remote, *place)
