"""Telling whoever is configured how a backup went, and how well its database is protected."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from neotoma_core.backup.protection import Protection, protection_of
from neotoma_core.backup.report import BackupReport, DrillSummary
from neotoma_core.errors import VaultError
from neotoma_core.remotes.standing import standings_of
from neotoma_core.report.remotes import RemoteStanding
from neotoma_core.vault.announcing import Alerting, beat, notify, write_metrics

Metrics = Mapping[str, tuple[str, Mapping[str, float]]]


def announce(
    alerting: Alerting, vault: Path, report: BackupReport, now: datetime
) -> tuple[str, ...]:
    """Report a backup that was taken; return what could not be sent, as words."""
    failed = []
    drill = report.drill
    bad = bool(report.alarms) or (drill is not None and drill.outcome == "fail")
    if bad:
        reasons = report.alarms or (drill.reasons if drill else ())
        if not notify(alerting, f"midden: {Path(report.target).name}", "; ".join(reasons)):
            failed.append("not every notification could be sent")
    failed += announce_outcome(alerting, vault, Path(report.target), now, success=not bad)
    return tuple(failed)


def announce_failure(
    alerting: Alerting, vault: Path, target: Path, reason: str, now: datetime
) -> tuple[str, ...]:
    """Tell that a backup was not taken; ``reason``: the message of an error, without values."""
    failed = []
    if not notify(alerting, f"midden: {target.name}: no backup was taken", reason):
        failed.append("not every notification could be sent")
    failed += announce_outcome(alerting, vault, target, now, success=False)
    return tuple(failed)


def announce_failed_drills(
    alerting: Alerting, target: Path, failed: Sequence[DrillSummary]
) -> bool:
    """Report drills that failed; return whether that could be sent."""
    body = "\n".join(f"{drill.backup}: {'; '.join(drill.reasons)}" for drill in failed)
    return notify(alerting, f"midden: {target.name}: a backup failed its drill", body)


def announce_outcome(
    alerting: Alerting, vault: Path, target: Path, now: datetime, *, success: bool
) -> list[str]:
    """Send the heartbeat and write the metrics; both say how far remotes are behind."""
    failed = []
    remotes = standings_of(vault, target, now).remotes
    lags = [math.inf if one.lag_seconds is None else one.lag_seconds for one in remotes]
    if not beat(alerting, success=success, lag=max(lags, default=None)):
        failed.append("the heartbeat was not answered")
    if alerting.metrics is not None:
        try:
            write_metrics(alerting.metrics, metrics_of(protection_of(vault, now), remotes))
        except (OSError, VaultError):
            failed.append("the metrics file cannot be written")
    return failed


def metrics_of(protection: Protection, remotes: Sequence[RemoteStanding] = ()) -> Metrics:
    """Return how well a database is protected, as gauges."""
    label = f'{{vault="{_escape(Path(protection.vault).name)}"}}'

    def one(value: float) -> dict[str, float]:
        return {label: value}

    rows = {
        f'{{vault="{_escape(Path(protection.vault).name)}",table="{_escape(table)}"}}': number
        for table, number in protection.tables.items()
    }
    last, verified = protection.last_backup, protection.last_verified
    return {
        "midden_last_success_timestamp_seconds": (
            "When the newest backup was taken.",
            one(last.timestamp() if last else 0),
        ),
        "midden_last_verified_restore_timestamp_seconds": (
            "When a backup was last restored and checked.",
            one(verified.timestamp() if verified else 0),
        ),
        "midden_rows": ("Rows in the newest backup.", {k: float(v) for k, v in rows.items()}),
        "midden_drop_ratio": ("Share of observations that is missing.", one(protection.drop)),
        "midden_good_copies": ("Backups that are verified.", one(protection.good)),
        "midden_rotation_frozen": ("1 while no backup is removed.", one(protection.frozen)),
        "midden_overdue": (
            "1 while a backup is overdue.",
            one(protection.overdue is not None),
        ),
        **_remote_metrics(Path(protection.vault).name, remotes),
    }


def _remote_metrics(vault: str, remotes: Sequence[RemoteStanding]) -> Metrics:
    if not remotes:
        return {}
    labels = {one: f'{{vault="{_escape(vault)}",remote="{_escape(one.name)}"}}' for one in remotes}
    lags = {
        label: math.inf if one.lag_seconds is None else one.lag_seconds
        for one, label in labels.items()
    }
    pushed = {
        label: one.pushed_at.timestamp() if one.pushed_at else 0.0 for one, label in labels.items()
    }
    return {
        "midden_remote_lag_seconds": (
            "How long ago the remote had all that the database held.",
            lags,
        ),
        "midden_remote_last_push_timestamp_seconds": ("When something was pushed last.", pushed),
        "midden_remote_failing": (
            "1 while the last push to the remote failed or was held back.",
            {label: float(bool(one.failing)) for one, label in labels.items()},
        ),
    }


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
