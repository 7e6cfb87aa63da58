"""Rotation on a remote: removing shipped backups that no rule keeps.

plan → entry that says which are removed → their objects deleted

Killed at any moment, or not allowed to delete, the entry says what is removed, nobody restores it
any more, and the next run deletes what is left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from neotoma_core.backup.prune import require_policy, why_held_back
from neotoma_core.backup.report import PruneItem
from neotoma_core.backup.retention import (
    BackupFacts,
    RetentionPlan,
    RetentionPolicy,
    plan_retention,
)
from neotoma_core.errors import RemoteDenied, RemoteError
from neotoma_core.neotoma.times import iso
from neotoma_core.offsite.prune_report import RemotePruneReport
from neotoma_core.push.holding import alone
from neotoma_core.push.shipping import Shipper
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import BACKUPS, Entry
from neotoma_core.remotes.names import backup_folder
from neotoma_core.remotes.own import own_archive, own_log
from neotoma_core.remotes.remote import Remote, read_logs
from neotoma_core.report.progress import Progress
from neotoma_core.vault.backups import list_backups

Confirm = Callable[[RemotePruneReport], bool]


@dataclass(frozen=True, slots=True)
class PruneRemoteRequest:
    """What the user asked for: backups of ``vault`` that ``policy`` does not keep."""

    vault: Path
    policy: RetentionPolicy


@dataclass(frozen=True, slots=True)
class _Planned:
    """The plan, and the objects that go with their sizes: of it, and of backups removed before."""

    plan: RetentionPlan
    objects: Mapping[str, int]
    left_over: Mapping[str, int]


def prune_remote(
    request: PruneRemoteRequest,
    remote: Remote,
    now: datetime,
    confirm: Confirm,
    progress: Progress,
) -> RemotePruneReport:
    """Remove the backups of this vault that ``policy`` does not keep; ``confirm`` sees the plan.

    Raises UsageError for a policy that keeps nothing, RemoteDenied where deleting is not allowed,
    RemoteDamaged, VaultError, and what a store raises.
    """
    require_policy(request.policy)
    with alone(request.vault, remote) as scratch:
        log = vaults_log(request.vault, remote)
        planned = _plan(request, remote, log, now)
        report = _report(remote, log, planned)
        if not confirm(report) or planned.plan.held:
            return report
        if planned.plan.remove:
            shipper = Shipper(remote, log, _blank(log, now), scratch, progress)
            shipper.ship([], pruned=planned.plan.remove)
        doomed = {**planned.left_over, **planned.objects}
        delete_objects(remote, list(doomed), progress)
        return replace(report, outcome="pruned" if doomed else "unchanged")


def vaults_log(vault: Path, remote: Remote) -> Log:
    """Return the log of a vault on a remote; raises RemoteError where it has none there."""
    log = own_log(vault, read_logs(remote), own_archive(vault))
    if not log.entries:
        wrong = "nothing of this vault was pushed to it"
        raise RemoteError(remote.name, wrong, "push first: midden push")
    return log


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


def _plan(request: PruneRemoteRequest, remote: Remote, log: Log, now: datetime) -> _Planned:
    listed = {one.name: one.size for one in remote.store.list(f"{BACKUPS}/{log.writer}")}
    listing = list_backups(request.vault)
    pinned = {one.name for one in listing.backups if one.state.pinned is not None}
    facts = [
        BackupFacts(
            shipped.name,
            number,
            shipped.taken_at,
            "good" if _is_whole(remote, log, shipped.name, listed) else "failed",
            pinned=shipped.name in pinned,
        )
        for number, shipped in enumerate(log.backups.values(), 1)
    ]
    plan = plan_retention(facts, request.policy, now=now, held=why_held_back(listing))
    return _Planned(
        plan,
        _objects_of(log, plan.remove, listed),
        _objects_of(log, sorted(log.pruned - log.backups.keys()), listed),
    )


def _is_whole(remote: Remote, log: Log, name: str, listed: Mapping[str, int]) -> bool:
    """Return whether all files of a backup are there: one that lacks some is not a good one."""
    folder = backup_folder(log.writer, name)
    files = log.backups[name].files.values()
    return all(folder + remote.sealing.name_of(one.sha256) in listed for one in files)


def _objects_of(log: Log, backups: Sequence[str], listed: Mapping[str, int]) -> dict[str, int]:
    folders = tuple(backup_folder(log.writer, name) for name in backups)
    return {name: size for name, size in listed.items() if name.startswith(folders)}


def _report(remote: Remote, log: Log, planned: _Planned) -> RemotePruneReport:
    plan = planned.plan
    items = tuple(
        PruneItem(
            name,
            iso(log.backups[name].taken_at),
            name in plan.keep,
            reasons,
            sum(content.size for content in log.backups[name].files.values()),
        )
        for name, reasons in plan.reasons.items()
    )
    doomed = {**planned.objects, **planned.left_over}
    return RemotePruneReport(
        outcome="planned",
        remote=remote.name,
        rotation=items,
        held=plan.held,
        removed=len(plan.remove),
        objects=len(doomed),
        removed_bytes=sum(doomed.values()),
        left_over=len(planned.left_over),
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
    )
