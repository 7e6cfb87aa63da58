"""A scheduled run that nobody watches: backup, rotation, pushes, drills, and how each went.

What fails does not stop what comes after it: what was backed up before is pushed all the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from neotoma_core.backup.drills.drill import DrillRules
from neotoma_core.backup.verify import VerifyRequest
from neotoma_core.errors import MiddenError
from neotoma_core.files.keys import KeySource
from neotoma_core.push.job import (
    PushJob,
    announce_unknown,
    conclude_push,
    push_database,
    remotes_to_push,
)
from neotoma_core.push.report import PushReport
from neotoma_core.report.progress import Silent
from neotoma_core.schedule.drills import verify_database
from neotoma_core.schedule.job import (
    NotDue,
    Scheduled,
    ScheduledReport,
    back_up_database,
    conclude,
)
from neotoma_core.vault.announcing import Alerting

_DRILL_AGE: Final = timedelta(days=7)
_DRILL_TIME: Final = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Unattended:
    """One scheduled run. ``remotes``: those to push to, by name; None for all of the vault.

    ``pushes``: who hears of pushes. ``say``: what is called with each line of the log.
    """

    job: Scheduled
    key: KeySource | None
    remotes: tuple[str, ...] | None
    alerts: Alerting
    pushes: Alerting
    say: Callable[[str], None]


def run_unattended(asked: Unattended) -> tuple[MiddenError, ...]:
    """Do all that is due for one database; return what failed, in order, each already reported."""
    failed: list[MiddenError] = []
    target = asked.job.target
    try:
        report = back_up_database(asked.job, asked.alerts, asked.key)
        if isinstance(report, NotDue):
            asked.say(report.said)
        else:
            asked.say(backup_line(report))
            for untold in report.untold:
                asked.say(f"{target}: {untold}")
    except MiddenError as error:
        conclude(asked.job, error, asked.alerts)
        failed.append(error)
    failed += push_each(asked)
    try:
        rules = DrillRules(asked.key)
        request = VerifyRequest(
            target, asked.job.vault, max_age=_DRILL_AGE, max_duration=_DRILL_TIME, rules=rules
        )
        drills = verify_database(request, asked.alerts, asked.job.now).drills
        if drills:
            asked.say(f"{target}: {len(drills):,} drills repeated")
    except MiddenError as error:
        failed.append(error)
    for failure in failed:
        asked.say(f"{target}: {failure}")
    return tuple(failed)


def push_each(asked: Unattended) -> list[MiddenError]:
    """Push to each remote; return what failed, each already reported."""
    job, failed = asked.job, list[MiddenError]()
    try:
        names = remotes_to_push(job.vault, asked.remotes)
    except MiddenError as error:
        announce_unknown(asked.pushes, job.target, error)
        return [error]
    for name in names:
        push = PushJob(job.target, job.vault, job.now, name, job.raw_storage)
        result: object
        try:
            result = push_database(push, asked.key, Silent())
        except MiddenError as error:
            result = error
        outcome = conclude_push(push, result, asked.pushes)
        if isinstance(outcome.error, MiddenError):
            failed.append(outcome.error)
        elif outcome.report is not None:
            asked.say(push_line(job.target, outcome.report))
    return failed


def backup_line(report: ScheduledReport) -> str:
    """Return in one line which database was backed up, and how many rows it has."""
    backup = report.backup
    proven = {"pass": "verified", "fail": "its drill FAILED"}
    drill = proven.get(backup.drill.outcome if backup.drill else "", "not verified")
    removed = f", {report.rotation.removed:,} old ones removed" if report.rotation else ""
    return (
        f"{backup.target}: backup {backup.backup}: {backup.observations:,} observations, "
        f"{backup.entities:,} entities, {drill}{removed}"
    )


def push_line(target: Path, report: PushReport) -> str:
    """Return in one line which database was pushed, where to, and how many rows."""
    if report.outcome == "unchanged":
        return f"{target}: {report.remote} has everything; 0 rows pushed"
    rows = sum(report.versions.values())
    return f"{target}: {rows:,} rows and {report.raw_files:,} raw files pushed to {report.remote}"
