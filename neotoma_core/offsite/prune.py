"""Rotation on a remote: removing shipped backups that no rule keeps, and what nothing names.

objects listed → logs read → plan → entry that says which backups are removed, and condemns what no
entry names → objects deleted: of removed backups, and what was condemned a grace before

Killed at any moment, or not allowed to delete, the entry says what is removed, nobody restores it
any more, and the next run deletes what is left. Logs are read after objects are listed, and once
more before anything unnamed is deleted: what an entry names by then stays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from neotoma_core.backup.prune import require_policy, why_held_back
from neotoma_core.backup.report import PruneItem
from neotoma_core.backup.retention import (
    BackupFacts,
    RetentionPlan,
    RetentionPolicy,
    plan_retention,
)
from neotoma_core.errors import RemoteDenied, RemoteError, UsageError
from neotoma_core.neotoma.times import iso
from neotoma_core.offsite.objects import backup_objects, find_named_objects, is_shipped, writer_of
from neotoma_core.offsite.prune_report import RemotePruneReport
from neotoma_core.push.holding import alone
from neotoma_core.push.shipping import NumberTaken, Shipper
from neotoma_core.remotes.condemned import condemned_in
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Entry
from neotoma_core.remotes.names import backup_folder, entry_name
from neotoma_core.remotes.own import own_archive, own_log
from neotoma_core.remotes.remote import Remote, read_logs
from neotoma_core.report.progress import Progress
from neotoma_core.stores.opening import time_of
from neotoma_core.stores.store import StoredObject
from neotoma_core.vault.backups import list_backups

Confirm = Callable[[RemotePruneReport], bool]

GRACE: Final = timedelta(days=7)
SHORTEST_GRACE: Final = timedelta(hours=1)
_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class PruneRemoteRequest:
    """What the user asked for: backups of ``vault`` that ``policy`` does not keep.

    ``grace``: how long ago an object has to be condemned before it is deleted.
    """

    vault: Path
    policy: RetentionPolicy
    grace: timedelta = GRACE


@dataclass(frozen=True, slots=True)
class _Seen:
    """The remote as it is: objects by name, listed before the logs were read; ``log``: our own."""

    listed: Mapping[str, StoredObject]
    logs: Mapping[str, Log]
    log: Log

    def size(self, names: Sequence[str]) -> int:
        return sum(self.listed[name].size for name in names)


@dataclass(frozen=True, slots=True)
class _Unnamed:
    """What no entry names. ``new``: not condemned yet; ``condemned``: when, by the store's clock.

    ``kept``: why none of it is touched, empty where it may be.
    """

    new: tuple[str, ...] = ()
    condemned: Mapping[str, datetime] | None = None
    kept: str = ""

    def due(self, now: datetime, grace: timedelta) -> tuple[str, ...]:
        """Return what was condemned at least a grace before ``now``."""
        found = self.condemned or {}
        return tuple(name for name, moment in found.items() if now - moment >= grace)


@dataclass(frozen=True, slots=True)
class _Planned:
    """The plan, and objects that go: of it, of backups removed before, and what nothing names."""

    plan: RetentionPlan
    objects: tuple[str, ...]
    left_over: tuple[str, ...]
    unnamed: _Unnamed
    due: tuple[str, ...]


def prune_remote(
    request: PruneRemoteRequest,
    remote: Remote,
    now: datetime,
    confirm: Confirm,
    progress: Progress,
) -> RemotePruneReport:
    """Remove the backups of this vault that ``policy`` does not keep; ``confirm`` sees the plan.

    What no entry names is condemned, and deleted by a run that is at least a grace later. Raises
    UsageError for a policy that keeps nothing or a grace that is too short, RemoteDenied where
    deleting is not allowed, RemoteDamaged, VaultError, and what a store raises.
    """
    require_policy(request.policy)
    if request.grace < SHORTEST_GRACE:
        raise UsageError("--grace: shorter than an hour; a push that is under way takes as long")
    with alone(request.vault, remote) as scratch:
        for _ in range(_TRIES - 1):
            try:
                return _prune(request, remote, scratch, now, confirm, progress)
            except NumberTaken:  # by another copy of this vault
                continue
        return _prune(request, remote, scratch, now, confirm, progress)


def _prune(  # noqa: PLR0913, PLR0917 - what, where, and who is asked
    request: PruneRemoteRequest,
    remote: Remote,
    scratch: Path,
    now: datetime,
    confirm: Confirm,
    progress: Progress,
) -> RemotePruneReport:
    seen = _look(request.vault, remote)
    planned = _plan(request, remote, seen, now)
    report = _report(remote, seen, planned, request.grace)
    if not confirm(report):
        return report
    if planned.due:  # the clock of this machine may be wrong
        planned = replace(planned, due=planned.unnamed.due(time_of(remote.store), request.grace))
        report = _report(remote, seen, planned, request.grace)
    said = {"pruned": planned.plan.remove, "condemned": planned.unnamed.new}
    if any(said.values()):
        blank, condemned = _blank(seen.log, now), condemned_in(seen.logs)
        Shipper(remote, seen.log, blank, scratch, progress, condemned=condemned).ship([], **said)
    due = _still_unnamed(remote, planned.due) if planned.due else ()
    doomed = tuple(dict.fromkeys((*planned.left_over, *planned.objects, *due)))
    delete_objects(remote, doomed, progress)
    changed = doomed or any(said.values())
    return replace(report, outcome="pruned" if changed else "unchanged")


def _look(vault: Path, remote: Remote) -> _Seen:
    """List what is there; raises RemoteError where the vault has no log on the remote."""
    listed = {one.name: one for one in remote.store.list()}
    logs = read_logs(remote)
    log = own_log(vault, logs, own_archive(vault))
    if not log.entries:
        wrong = "nothing of this vault was pushed to it"
        raise RemoteError(remote.name, wrong, "push first: midden push")
    return _Seen(listed, logs, log)


def _still_unnamed(remote: Remote, names: Sequence[str]) -> tuple[str, ...]:
    """Return the objects that no entry names by now."""
    named = find_named_objects(remote.sealing, read_logs(remote).values())
    return tuple(name for name in names if name not in named)


def delete_objects(remote: Remote, names: Sequence[str], progress: Progress) -> None:
    """Delete objects in this order; raises RemoteDenied, which says how many are left."""
    progress.begin("delete", len(names))
    for number, name in enumerate(names):
        try:
            remote.store.delete(name)
        except RemoteDenied as error:
            wrong = f"{len(names) - number:,} objects that are to go are still there: {error.wrong}"
            advice = "run again with credentials that may delete"
            raise RemoteDenied(remote.name, wrong, advice) from error
        progress.advance(1)


def _plan(request: PruneRemoteRequest, remote: Remote, seen: _Seen, now: datetime) -> _Planned:
    listing = list_backups(request.vault)
    pinned = {one.name for one in listing.backups if one.state.pinned is not None}
    log = seen.log
    facts = [
        BackupFacts(
            shipped.name,
            number,
            shipped.taken_at,
            "good" if _is_whole(remote, seen, shipped.name) else "failed",
            pinned=shipped.name in pinned,
        )
        for number, shipped in enumerate(log.backups.values(), 1)
    ]
    frozen = why_held_back(listing)
    plan = plan_retention(facts, request.policy, now=now, held=frozen)
    unnamed = _Unnamed(kept=frozen) if frozen else _find_unnamed(remote, seen)
    before = () if plan.held else sorted(log.pruned - log.backups.keys())
    return _Planned(
        plan,
        _objects_of(seen, plan.remove),
        _objects_of(seen, before),
        unnamed,
        unnamed.due(now, request.grace),
    )


def _find_unnamed(remote: Remote, seen: _Seen) -> _Unnamed:
    """Find what midden shipped and no entry of any log names, whether it counts or not.

    Where a log is gone whose backups are there, anything may be what it named: nothing is touched.
    """
    named = find_named_objects(remote.sealing, seen.logs.values())
    unnamed = [name for name in seen.listed if name not in named and is_shipped(name)]
    writers = {writer for name in unnamed if (writer := writer_of(name)) is not None}
    if gone := sorted(writers - seen.logs.keys()):
        return _Unnamed(kept=f"the log {gone[0]} is not there, but files of its backups are")
    moments: dict[str, datetime] = {}
    for log in seen.logs.values():
        for entry in log.entries:
            stored = seen.listed.get(entry_name(entry.writer, entry.number))
            if stored is not None:  # one that came after the listing says so the next time
                for name in entry.condemned:
                    moments[name] = min(moments.get(name, stored.modified), stored.modified)
    known = condemned_in(seen.logs).names
    return _Unnamed(
        tuple(sorted(name for name in unnamed if name not in known)),
        {name: moments[name] for name in sorted(unnamed) if name in moments},
    )


def _is_whole(remote: Remote, seen: _Seen, name: str) -> bool:
    """Return whether all files of a backup are there: one that lacks some is not a good one."""
    objects: set[str] = set()
    for entry in seen.log.entries:  # the last that names it says where its files are
        there = backup_objects(remote.sealing, seen.log.writer, entry, name)
        objects = {one for one, _ in there} or objects
    return objects <= seen.listed.keys()


def _objects_of(seen: _Seen, backups: Sequence[str]) -> tuple[str, ...]:
    folders = tuple(backup_folder(seen.log.writer, name) for name in backups)
    return tuple(name for name in sorted(seen.listed) if name.startswith(folders))


def _report(remote: Remote, seen: _Seen, planned: _Planned, grace: timedelta) -> RemotePruneReport:
    plan, unnamed = planned.plan, planned.unnamed
    items = tuple(
        PruneItem(
            name,
            iso(seen.log.backups[name].taken_at),
            name in plan.keep,
            reasons,
            sum(content.size for content in seen.log.backups[name].files.values()),
        )
        for name, reasons in plan.reasons.items()
    )
    doomed = {*planned.objects, *planned.left_over, *planned.due}
    waiting = {name: at for name, at in (unnamed.condemned or {}).items() if name not in doomed}
    return RemotePruneReport(
        outcome="planned",
        remote=remote.name,
        rotation=items,
        held=plan.held,
        removed=len(plan.remove),
        objects=len(doomed),
        removed_bytes=seen.size(sorted(doomed)),
        left_over=len(planned.left_over),
        unnamed=len(planned.due),
        condemned=len(unnamed.new),
        condemned_bytes=seen.size(unnamed.new),
        waiting=len(waiting),
        due_at=iso(min(waiting.values()) + grace) if waiting else None,
        kept=unnamed.kept,
    )


def _blank(log: Log, now: datetime) -> Entry:
    """Return what an entry says that ships nothing."""
    return replace(
        log.entries[-1],
        at=now.astimezone(UTC),
        begins=False,
        counts=None,
        parts=(),
        raw_files={},
        backups=(),
        erasures=(),
        pruned=(),
        condemned=(),
        renamed={},
    )
