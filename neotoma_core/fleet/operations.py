"""The operations that a fleet can be asked for: each the one that a single database has.

Each takes the task and what the file says of the database, and returns what to say of it. What
fails is raised.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from neotoma_core.archive.append import ArchiveRequest
from neotoma_core.archive.steps import archive_target
from neotoma_core.backup.drills.drill import DrillRules
from neotoma_core.backup.verify import VerifyRequest
from neotoma_core.errors import AnomalyFound, TargetError, UsageError
from neotoma_core.export.request import ExportRequest
from neotoma_core.export.steps import export_tables
from neotoma_core.find.monitoring import CRITICAL, OK, UNKNOWN, WORDS, check_line
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status, find_copies
from neotoma_core.find.vault_copies import backups_in
from neotoma_core.fleet.report import INCOMPLETE
from neotoma_core.fleet.task import FleetTask, Operation
from neotoma_core.push.job import PushJob, conclude_push, push_database
from neotoma_core.push.unattended import push_line
from neotoma_core.report.progress import Silent
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.schedule.drills import verify_database
from neotoma_core.schedule.job import NotDue, Scheduled, back_up_database
from neotoma_core.schedule.kept import kept_by
from neotoma_core.settings.alerts import alerting_by, push_alerting_by
from neotoma_core.settings.configuration import ConfiguredDatabase
from neotoma_core.settings.environment import key_source, raw_storage
from neotoma_core.timers.timer import When
from neotoma_core.vault.folder import ARCHIVE, require_there


@dataclass(frozen=True, slots=True)
class Said:
    """What an operation did, in words. ``code``: 0, or the exit code of what should be looked at.

    ``alarming``: somebody has to be notified.
    """

    words: str
    code: int = 0
    attention: bool = False
    alarming: bool = False


def check_one(task: FleetTask, _database: ConfiguredDatabase) -> Said:
    """Look at a database and its vault, as ``midden status --check`` does; nothing is searched."""
    asked = Whereabouts(task.target, task.vault, key_source(), raw_storage(task.target))
    report = check_status(asked, SearchRequest((), key=asked.key), task.now, Silent())
    line, level = check_line(report, task.now)
    words = line.removeprefix(f"{WORDS[level]} - {report.target}: ")
    if level == UNKNOWN:
        return Said(words, TargetError.exit_code, alarming=True)
    code = AnomalyFound.exit_code if level == CRITICAL else 0
    return Said(words, code, level != OK, level == CRITICAL)


def scheduled_job(task: FleetTask, database: ConfiguredDatabase) -> Scheduled:
    """Return the scheduled job of a database, with what the file says of it."""
    every = database.settings.every
    hours = task.options.interval_hours
    if every is not None:
        hours = When(every).interval / timedelta(hours=1)  # type: ignore[arg-type]
    kept = kept_by(database.settings)
    raw = raw_storage(task.target)
    since = task.options.since
    return Scheduled(task.target, task.vault, task.now, hours, raw, kept, since)


def back_up_one(task: FleetTask, database: ConfiguredDatabase) -> Said:
    """Do the scheduled job of a database: back up, drill, compare, rotate, tell."""
    alerts = alerting_by(database.settings.notifying)
    report = back_up_database(scheduled_job(task, database), alerts, key_source())
    if isinstance(report, NotDue):
        return Said(report.said.removeprefix(f"{report.target}: "))
    backup, drill = report.backup, report.backup.drill
    incomplete = drill is None or drill.outcome != "pass"
    proven = "not verified" if incomplete else "verified"
    removed = f", {report.rotation.removed:,} old ones removed" if report.rotation else ""
    words = f"{backup.observations:,} observations, {proven}{removed}"
    said = "; ".join((words, *report.untold))
    code = INCOMPLETE if incomplete else 0
    return Said(said, code, incomplete or bool(report.untold))


def verify_one(task: FleetTask, database: ConfiguredDatabase) -> Said:
    """Repeat the drills of a database that are due."""
    request = VerifyRequest(
        task.target,
        task.vault,
        max_age=task.options.max_age,
        max_duration=task.options.max_duration,
        rules=DrillRules(key_source()),
    )
    report = verify_database(request, alerting_by(database.settings.notifying), task.now)
    incomplete = report.outcome == "inconclusive"
    left = f", {len(report.not_reached):,} not reached" if report.not_reached else ""
    drilled = f"{len(report.drills):,} backups restored and checked"
    words = f"{drilled}{left}" if report.drills or left else "no drill is due"
    return Said(words, INCOMPLETE if incomplete else 0, incomplete)


def find_one(task: FleetTask, _database: ConfiguredDatabase) -> Said:
    """Take inventory of the copies of a database: itself, its vault, and further places."""
    require_there(task.vault, task.target)
    places = (task.target, *backups_in(task.vault), *task.options.search)
    where = SearchRequest(tuple(place for place in places if place.exists()), key=key_source())
    if not where.paths:
        raise UsageError(f"{task.target}: there is no such file, and no copy in its vault")
    copies = find_copies(where, task.target.parent, Silent()).copies
    held = [copy.observations or 0 for copy in copies]
    most = max(held, default=0)
    unsound = sum(copy.state != "sound" for copy in copies)
    bad = f", {unsound:,} of them not sound" if unsound else ""
    there = "" if task.target.exists() else "; the database itself is gone"
    words = f"{len(copies):,} copies{bad}, the most observations in one are {most:,}{there}"
    return Said(words, 0, bool(unsound or there))


def archive_one(task: FleetTask, _database: ConfiguredDatabase) -> Said:
    """Append what is new in a database to the archive of its vault."""
    require_there(task.vault, task.target)
    request = ArchiveRequest(task.vault / ARCHIVE)
    report = archive_target(task.target, task.vault, request, task.now, Silent())
    words = f"{report.appended:,} versions appended, {report.gone:,} rows are only in the archive"
    return Said(words, 0, bool(report.findings))


def push_one(task: FleetTask, database: ConfiguredDatabase) -> Said:
    """Push what a remote lacks; raises AnomalyFound where the push was held back."""
    job = push_job(task)
    report = push_database(job, key_source(), Silent())
    outcome = conclude_push(job, report, push_alerting_by(database.settings.notifying))
    outcome.require_whole()
    words = push_line(task.target, report).removeprefix(f"{task.target}: ")
    return Said("; ".join((words, *outcome.untold)), 0, bool(outcome.untold))


def push_job(task: FleetTask) -> PushJob:
    """Return the push of a database to one of its remotes."""
    return PushJob(task.target, task.vault, task.now, task.remote, raw_storage(task.target))


def export_one(task: FleetTask, _database: ConfiguredDatabase) -> Said:
    """Export a database to a folder of its own, below the one named."""
    if task.options.to is None:
        raise UsageError("name the folder of the exports")
    require_there(task.vault, task.target)
    to = task.options.to / task.name
    request = ExportRequest(to=to, vault=task.vault, target=task.target, key=key_source())
    report = export_tables(request, task.now, Silent())
    rows = sum(file.rows for file in report.files)
    words = f"{rows:,} rows in {len(report.files):,} files"
    return Said(words, 0, bool(report.findings))


DOING: Final[Mapping[Operation, Callable[[FleetTask, ConfiguredDatabase], Said]]] = {
    "status": check_one,
    "backup": back_up_one,
    "verify": verify_one,
    "find": find_one,
    "archive": archive_one,
    "push": push_one,
    "export": export_one,
}
