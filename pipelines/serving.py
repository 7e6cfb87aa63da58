"""Running the scheduled flows on one machine: what ``midden serve`` does.

It does not use a scheduler of Prefect's, so a server is not needed. Each run is a flow run all the
same, on the server that PREFECT_API_URL names, or on a temporary one.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cronsim import CronSim, CronSimError
from prefect.logging import get_logger
from tzlocal import get_localzone

from neotoma_core.backup.protection import protection_of
from neotoma_core.errors import MiddenError, UsageError
from neotoma_core.find.board.keeping import KeptBoard
from neotoma_core.find.board.serving import serve_page
from neotoma_core.push.job import announce_unknown, remotes_to_push
from neotoma_core.settings.alerts import push_alerting
from neotoma_core.settings.environment import configuration, default_vault
from pipelines.push_remote import push_remote
from pipelines.scheduled_backup import scheduled_backup
from pipelines.verify_backups import verify_backups

_PAGE_CRON: Final = "*/10 * * * *"
_LOOK_SECONDS: Final = 30.0  # at the clock: a machine that slept notices soon that it is late


@dataclass(frozen=True, slots=True)
class Job:
    """Something to run by a cron expression, in the machine's own time zone.

    ``last``: when it was done last, if that is known.
    """

    name: str
    cron: str
    run: Callable[[], Any]
    last: Callable[[], datetime | None] = lambda: None

    def next_after(self, moment: datetime) -> datetime:
        """Return when it is due next, in UTC; raises UsageError for an invalid expression.

        ``moment``: in the zone the expression is meant in, with its changes to and from summer.
        """
        try:
            found: datetime = next(CronSim(self.cron, moment))
        except (CronSimError, StopIteration) as error:
            raise UsageError(
                f"{self.cron}: not a cron expression; write it as '0 3 * * *'"
            ) from error
        return found.astimezone(UTC)

    def first_after(self, moment: datetime) -> datetime:
        """Return when it is due first: at once where it was missed while nothing ran it."""
        last = self.last()
        if last is None or last > moment:
            return self.next_after(moment)
        return min(self.next_after(last.astimezone(moment.tzinfo)), self.next_after(moment))

    def still_due(self, due: datetime, moment: datetime) -> datetime:
        """Return when it is due next, where it was due at some time by a clock that may be wrong.

        A clock that is set back a little does not repeat what was done. One that is set back by
        more than the job's interval would have nothing done until it is where it was: then the job
        is due by the new time.
        """
        soon = self.next_after(moment)
        return soon if self.next_after(soon.astimezone(moment.tzinfo)) < due else due


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where the page of all databases is: in ``files``, on a ``port`` of loopback, or both."""

    files: tuple[Path, ...]
    port: int | None


def serve_schedules(
    targets: list[Path],
    *,
    vault: Path | None,
    backup_cron: str,
    verify_cron: str,
    page: PagePlace | None = None,
) -> None:
    """Run backups and drills of ``targets`` on schedule until the process is stopped.

    ``page``: where the page of all databases is kept current. Raises UsageError where its port is
    in use.
    """
    backups = Job(
        "scheduled-backup",
        backup_cron,
        lambda: back_up_and_push(targets, vault=vault, interval_hours=hours),
        lambda: last_of_all(targets, vault, _now()),
    )
    drills = Job(
        "verify-backups", verify_cron, lambda: verify_backups(targets=targets, vault=vault)
    )
    first = backups.next_after(_now())
    hours = (backups.next_after(first.astimezone(_now().tzinfo)) - first) / timedelta(hours=1)
    jobs = [backups, drills]
    if page is None:
        run_when_due(jobs, _now, time.sleep)
        return
    board = KeptBoard(targets, vault, page.files, _now)
    with nullcontext() if page.port is None else serve_page(board.served, page.port) as address:
        if address:
            get_logger("midden").info("page: %s", address)
        board.refresh()
        run_when_due(with_page(jobs, board.refresh), _now, time.sleep)


def last_of_all(targets: Sequence[Path], vault: Path | None, now: datetime) -> datetime | None:
    """Return when the database was backed up whose backup is the oldest; None where one has none.

    Backups from the future do not count, as by a clock that was wrong.
    """
    found = []
    for target in targets:
        try:
            found.append(protection_of(vault or default_vault(target), now).last_backup)
        except MiddenError:  # the run says what is wrong with it
            return None
    known = [last for last in found if last is not None]
    return min(known) if known and len(known) == len(found) else None


def with_page(jobs: Sequence[Job], refresh: Callable[[], None]) -> list[Job]:
    """Return the jobs, each followed by a look at the page, and that look alone every so often."""

    def with_following(job: Job) -> Callable[[], None]:
        def run() -> None:
            try:
                job.run()
            finally:
                refresh()

        return run

    return [
        *(Job(job.name, job.cron, with_following(job), job.last) for job in jobs),
        Job("page", _PAGE_CRON, refresh),
    ]


def back_up_and_push(targets: list[Path], *, vault: Path | None, interval_hours: float) -> None:
    """Back up, and then push each database to each remote of its vault.

    Also where a backup failed: what was taken before is pushed all the same. What fails for one
    remote, which the flow reports, does not stop the others, and is not a failure of the backup.
    """
    try:
        scheduled_backup(targets=targets, vault=vault, interval_hours=interval_hours)
    finally:
        for target in targets:
            _push_everywhere(target, vault or default_vault(target))


def _push_everywhere(target: Path, vault: Path) -> None:
    log = get_logger("midden")
    try:
        known = configuration().at(target)
        names = remotes_to_push(vault, known.settings.remotes if known else None)
    except MiddenError as error:
        announce_unknown(push_alerting(target), target, error)
        log.error("push-remote: %s", error)  # noqa: TRY400 - a message says it
        return
    for name in names:
        try:
            push_remote(target=target, remote=name, vault=vault)
        except Exception as error:  # noqa: BLE001 - as a job's: Prefect has it, and an alert was sent
            log.error("push-remote: %s: failed: %s", name, type(error).__name__)  # noqa: TRY400


def run_when_due(
    jobs: Sequence[Job], now: Callable[[], datetime], sleep: Callable[[float], None]
) -> None:
    """Run each job when it is due, one after the other, for ever.

    A job that fails is logged and run again when it is due next. What came due while another job
    ran, while the machine slept, or before this was started, is run once.
    """
    log = get_logger("midden")
    due = {job.name: job.first_after(now()) for job in jobs}
    for job in jobs:
        log.info("%s: next at %s", job.name, due[job.name])
    while True:
        for job in jobs:
            due[job.name] = job.still_due(due[job.name], now())
            if now().astimezone(UTC) < due[job.name]:
                continue
            try:
                job.run()
            except Exception as error:  # noqa: BLE001 - the schedule goes on; Prefect has the error
                log.error("%s: failed: %s", job.name, type(error).__name__)  # noqa: TRY400 - as above
            due[job.name] = job.next_after(now())
            log.info("%s: next at %s", job.name, due[job.name])
        ahead = (min(due.values()) - now().astimezone(UTC)).total_seconds()
        sleep(min(max(ahead, 0.1), _LOOK_SECONDS))


def _now() -> datetime:
    """Return the time in the machine's zone: one that knows its changes to and from summer."""
    return datetime.now(get_localzone())
