"""Repeating drills: of the backups named, of all, or of those not verified for a while."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from neotoma_core.backup.drills.besides import drill_beside
from neotoma_core.backup.drills.drill import Drilling, DrillRules
from neotoma_core.backup.page.page import verify_page
from neotoma_core.backup.report import DrillSummary, VerifyReport
from neotoma_core.backup.reporting import drill_summary, strange_files
from neotoma_core.backup.request import choose_backup
from neotoma_core.backup.standing import look_at
from neotoma_core.errors import UsageError
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.vault.backups import Listing, Strange, list_backups, write_state
from neotoma_core.vault.last_report import keep_last
from neotoma_core.vault.lease import vault_run
from neotoma_core.vault.manifests import Backup


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What the user asked for.

    ``names``: the backups to drill; none: all of them where ``all`` says so, or else the newest.
    ``max_age``: only those that were not verified for so long. ``max_duration``: no further drill
    is begun after it.
    """

    target: Path
    vault: Path
    names: tuple[str, ...] = ()
    all: bool = False
    max_age: timedelta | None = None
    max_duration: timedelta | None = None
    rules: DrillRules = field(default_factory=DrillRules)


def verify_backups(request: VerifyRequest, now: datetime, progress: Progress) -> VerifyReport:
    """Drill backups, those longest unverified first, and record how each drill ended.

    A database that several of them share is restored once. Raises UsageError where there is no
    backup, VaultError.
    """
    clock = Clock()
    started = time.monotonic()
    summaries: list[DrillSummary] = []
    not_reached: list[str] = []
    drilled: list[Backup] = []
    with vault_run(request.vault, request.target, now) as folders:
        listing = list_backups(request.vault)
        due = _due(request, listing, now)
        progress.begin("drill", len(due))
        drilling = Drilling(request.vault, folders.work, request.rules, now, progress)
        for backup in due:
            spent = timedelta(seconds=time.monotonic() - started)
            if request.max_duration is not None and spent > request.max_duration:
                not_reached.append(backup.name)
                continue
            drill = drill_beside(drilling, backup, drilled)
            drilled.append(replace(backup, state=backup.state.after_drill(drill)))
            if not backup.state_lost or drill.outcome == "fail":  # else it may still be readable
                state = look_at(backup, listing.backups, request.vault).state
                write_state(request.vault, backup.name, state.after_drill(drill))
            summaries.append(drill_summary(request.vault, backup, drill))
            progress.advance(1)
        clock.lap("drill")
        unread = _unread(request, listing)
        outcomes = {summary.outcome for summary in summaries}
        outcomes |= {"fail" if one.damaged else "inconclusive" for one in unread}
        report = VerifyReport(
            folders.name,
            _outcome(outcomes, not_reached),
            tuple(summaries),
            tuple(not_reached),
            clock.seconds,
            strange_files(unread),
        )
        made = keep_last(
            request.vault, "verify", report, lambda: verify_page(report, request.vault)
        )
        return replace(report, page=made)


def _outcome(outcomes: set[str], not_reached: Sequence[str]) -> str:
    if "fail" in outcomes:
        return "fail"
    return "inconclusive" if "inconclusive" in outcomes or not_reached else "pass"


def _due(request: VerifyRequest, listing: Listing, now: datetime) -> list[Backup]:
    if not listing.backups and listing.unread and not request.names:
        return []
    if not listing.backups:
        raise UsageError(f"vault {request.vault}: there is no backup to verify; take one first")
    if request.names:
        backups = [choose_backup(listing, name) for name in request.names]
    elif request.all or request.max_age is not None:
        backups = list(listing.backups)
    else:
        backups = [listing.backups[-1]]
    due = [b for b in backups if request.max_age is None or _age(b, now) > request.max_age]
    return sorted(due, key=lambda backup: _age(backup, now), reverse=True)


def _unread(request: VerifyRequest, listing: Listing) -> tuple[Strange, ...]:
    """Return what may be among the backups that were asked for, and cannot be read."""
    if request.names:
        return ()
    if request.all or request.max_age is not None or not listing.backups:
        return listing.unread
    newest = listing.backups[-1].name
    return tuple(one for one in listing.unread if one.path.name > newest)


def _age(backup: Backup, now: datetime) -> timedelta:
    """Return how long ago a backup was verified; for ever where it is not."""
    verified = backup.state.verified_at if backup.state.is_verified else None
    return now - verified if verified else timedelta.max
