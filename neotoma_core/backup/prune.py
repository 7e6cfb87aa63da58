"""Rotation: removing backups that no rule keeps, raw files that no backup names any longer.

And evidence of earlier runs that has nothing which other copies lack.

plan → backups taken away, one by one → blobs that nothing names → evidence → scratch removed

Killed at any moment, what was taken away is gone, all else is whole, and running again completes
the job.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from neotoma_core.backup.report import PruneItem, PruneReport
from neotoma_core.backup.reporting import count_bytes, strange_files
from neotoma_core.backup.retention import RetentionPlan, RetentionPolicy, plan_retention
from neotoma_core.backup.standing import facts_of, find_unexplained
from neotoma_core.errors import BackupNotIntact, MiddenError, UsageError
from neotoma_core.files.atomic import announce
from neotoma_core.files.compressed import NotIntact
from neotoma_core.kept_evidence.folders import list_evidence, remove_evidence
from neotoma_core.kept_evidence.plan import EvidenceItem, EvidenceRule, plan_evidence
from neotoma_core.kept_evidence.retention import KEPT_FOR
from neotoma_core.ledger.file import read_erased
from neotoma_core.neotoma.times import iso
from neotoma_core.sqlite.live_copies import copy_whole
from neotoma_core.vault.backups import (
    FOLDER,
    Listing,
    bytes_on_disk,
    leftovers,
    list_backups,
    read_raw_list,
    set_aside,
)
from neotoma_core.vault.blobs import digest_of, remove_blobs
from neotoma_core.vault.folder import RunFolders, require_room
from neotoma_core.vault.lease import vault_run
from neotoma_core.vault.manifests import Backup
from neotoma_core.vault.stored_backup import restore_database

Confirm = Callable[[PruneReport], bool]


def prune_backups(  # noqa: PLR0913 - what is kept, and for whom
    vault: Path,
    target: Path,
    policy: RetentionPolicy,
    now: datetime,
    confirm: Confirm,
    *,
    evidence_within: timedelta = KEPT_FOR,
    compared: int | None = None,
) -> PruneReport:
    """Remove the backups that ``policy`` does not keep, and evidence that is not needed.

    ``confirm`` is shown the plan. ``evidence_within``: how long evidence stays whatever is in it.
    ``compared``: with how many copies old evidence is compared at most; each has to be restored.
    Raises UsageError for a policy that keeps nothing, VaultError.
    """
    require_policy(policy)
    with vault_run(vault, target, now) as folders:
        listing = list_backups(vault)
        plan = plan_rotation(listing, policy, now)
        rule = EvidenceRule(now, read_erased(vault), evidence_within, plan.held, compared)
        staying = [backup for backup in listing.backups if backup.name in plan.keep]
        evidence = plan_evidence(
            list_evidence(vault, folders.name),
            rule,
            folders.work,
            lambda: _wholes(folders, target, staying),
        )
        report = _with_evidence(_plan_report(folders, listing, plan), evidence)
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


def _wholes(folders: RunFolders, target: Path, staying: list[Backup]) -> Iterator[Path]:
    """Yield whole copies of what stays: the target, then the good backups, the newest first.

    One that cannot be copied or restored now is passed over. Raises DiskFull.
    """
    with TemporaryDirectory(dir=folders.work) as scratch, suppress(MiddenError, OSError):
        require_room(folders.work, target.stat().st_size)
        yield copy_whole(target, Path(scratch))
    good = {b.manifest.database.plain_sha256: b for b in staying if b.is_good}  # the newest of each
    for backup in sorted(good.values(), key=lambda b: b.manifest.sequence, reverse=True):
        with TemporaryDirectory(dir=folders.work) as scratch:
            whole = Path(scratch) / "whole.db"
            require_room(folders.work, backup.manifest.database.plain_size)
            with suppress(BackupNotIntact):
                restore_database(folders.vault / FOLDER / backup.name, backup, whole)
                yield whole


def _with_evidence(report: PruneReport, evidence: tuple[EvidenceItem, ...]) -> PruneReport:
    gone = [one.bytes for one in evidence if not one.stays]
    return replace(report, evidence=evidence, evidence_removed=len(gone), evidence_bytes=sum(gone))


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
    names = [item.backup for item in items]
    gone = [item for item in items if not item.stays]
    freed = bytes_on_disk(folders.vault, names) - bytes_on_disk(folders.vault, kept)
    return PruneReport(
        run=folders.name,
        outcome="planned",
        rotation=items,
        strange=strange_files(listing.strange),
        held=plan.held,
        removed=len(gone),
        removed_bytes=freed,
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
        set_aside(vault, name, folders.work / "removed")
    blobs, blob_bytes = remove_blobs(vault, wanted)
    announce("blobs_removed")
    for path in leftovers(vault):
        path.unlink()
    for one in report.evidence:
        if not one.stays:
            remove_evidence(folders, one.run)
    shutil.rmtree(folders.work / "removed", ignore_errors=True)
    outcome = "pruned" if plan.remove or blobs or report.evidence_removed else "unchanged"
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
