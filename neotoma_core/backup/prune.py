"""Rotation: removing backups that no rule keeps, and raw files that no backup names any longer.

plan → backups taken away, one by one → blobs that nothing names → scratch removed

Killed at any moment, what was taken away is gone, all else is whole, and running again completes
the job.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from neotoma_core.backup.report import PruneItem, PruneReport
from neotoma_core.backup.reporting import count_bytes, strange_files
from neotoma_core.backup.retention import RetentionPlan, RetentionPolicy, plan_retention
from neotoma_core.backup.standing import facts_of, find_unexplained
from neotoma_core.errors import UsageError
from neotoma_core.files.atomic import announce
from neotoma_core.files.compressed import NotIntact
from neotoma_core.neotoma.times import iso
from neotoma_core.vault.backups import (
    FOLDER,
    Listing,
    leftovers,
    list_backups,
    read_raw_list,
    take_away,
)
from neotoma_core.vault.blobs import digest_of, remove_blobs
from neotoma_core.vault.folder import RunFolders
from neotoma_core.vault.lease import vault_run

Confirm = Callable[[PruneReport], bool]


def prune_backups(
    vault: Path, target: Path, policy: RetentionPolicy, now: datetime, confirm: Confirm
) -> PruneReport:
    """Remove the backups that ``policy`` does not keep. ``confirm`` is shown the plan.

    Raises UsageError for a policy that keeps nothing, VaultError.
    """
    require_policy(policy)
    with vault_run(vault, target, now) as folders:
        listing = list_backups(vault)
        plan = plan_rotation(listing, policy, now)
        report = _plan_report(folders, listing, plan)
        if not confirm(report) or plan.held:
            return report
        return _carry_out(folders, listing, plan, report)


def require_policy(policy: RetentionPolicy) -> None:
    """Raise UsageError for a policy that keeps nothing."""
    if policy.is_empty:
        raise UsageError("this policy keeps nothing; say how much to keep, as --keep-daily 30")


def plan_rotation(listing: Listing, policy: RetentionPolicy, now: datetime) -> RetentionPlan:
    """Decide which backups stay; none goes while rotation is frozen or a backup is unreadable."""
    held = why_held_back(listing)
    facts = [facts_of(backup, now) for backup in listing.backups]
    return plan_retention(facts, policy, now=now, held=held)


def why_held_back(listing: Listing) -> str:
    """Return why no backup may be removed, empty where some may."""
    if not listing.is_complete:
        return "something among the backups cannot be read"
    if find_unexplained(listing.backups) is not None:
        return "rotation is frozen: something is missing, and that is not explained"
    return ""


def _plan_report(folders: RunFolders, listing: Listing, plan: RetentionPlan) -> PruneReport:
    by_name = {backup.name: backup for backup in listing.backups}
    kept = set(plan.keep)
    items = tuple(
        PruneItem(
            name,
            iso(backup.manifest.taken_at),
            name in kept,
            reasons,
            count_bytes(backup),
        )
        for name, reasons in plan.reasons.items()
        for backup in (by_name[name],)
    )
    gone = [item for item in items if not item.stays]
    return PruneReport(
        run=folders.name,
        outcome="planned",
        rotation=items,
        strange=strange_files(listing.strange),
        held=plan.held,
        removed=len(gone),
        removed_bytes=sum(item.stored_bytes for item in gone),
        blobs_removed=0,
    )


def _carry_out(
    folders: RunFolders, listing: Listing, plan: RetentionPlan, report: PruneReport
) -> PruneReport:
    vault = folders.vault
    try:
        wanted = _find_wanted_blobs(folders, listing, set(plan.keep))
    except NotIntact as error:
        return replace(report, held=f"which raw files are needed cannot be read: {error.wrong}")
    for name in plan.remove:
        take_away(vault, name, folders.work / "removed")
    blobs, blob_bytes = remove_blobs(vault, wanted)
    announce("blobs_removed")
    for path in leftovers(vault):
        path.unlink()
    shutil.rmtree(folders.work / "removed", ignore_errors=True)
    outcome = "pruned" if plan.remove or blobs else "unchanged"
    removed_bytes = report.removed_bytes + blob_bytes
    return replace(report, outcome=outcome, blobs_removed=blobs, removed_bytes=removed_bytes)


def _find_wanted_blobs(folders: RunFolders, listing: Listing, kept: set[str]) -> set[str]:
    """Return the hashes that the backups that stay name, and strange ones; raises NotIntact."""
    place = folders.vault / FOLDER
    staying = [(place / b.name, b.manifest) for b in listing.backups if b.name in kept]
    staying += [(one.path, one.backup.manifest) for one in listing.strange if one.backup]
    return {
        digest_of(name)
        for folder, manifest in staying
        for name in read_raw_list(folder, manifest, folders.work)
    }
