"""One attempt at one database, whatever runs it: what fails becomes a row, never an end of the run.

An error that may pass is raised while there is another attempt; who hears of a failure hears of the
last one.
"""

import time
from functools import lru_cache
from pathlib import Path

from neotoma_core.errors import (
    AnomalyFound,
    ArchiveDamaged,
    BackupNotIntact,
    MiddenError,
    RemoteDamaged,
    TargetRuined,
    UsageError,
    VaultDamaged,
    begin_record,
    without_panic,
)
from neotoma_core.files.failures import explain
from neotoma_core.fleet.disks import disk_of, disk_slot
from neotoma_core.fleet.operations import DOING, Said, push_job, scheduled_job
from neotoma_core.fleet.report import FleetRow, Outcome
from neotoma_core.fleet.task import FleetTask
from neotoma_core.push.job import conclude_push
from neotoma_core.schedule.job import conclude
from neotoma_core.settings.alerts import alerting_by, push_alerting_by
from neotoma_core.settings.configuration import (
    Configuration,
    ConfiguredDatabase,
    read_configuration,
)
from neotoma_core.settings.environment import lock_folder

_DAMAGE = (
    *(AnomalyFound, BackupNotIntact, TargetRuined),
    *(VaultDamaged, ArchiveDamaged, RemoteDamaged),
)


def attempt(task: FleetTask, *, number: int = 1, last: bool = True) -> FleetRow:
    """Do what a task says; return how it went.

    Unless it is the ``last``, raises the MiddenError of what may pass by itself.
    """
    began = time.monotonic()
    begin_record(task.target, task.vault)
    result: Said | MiddenError
    try:
        result = _carry_out(task)
    except MiddenError as error:
        if error.retryable and not last:
            raise
        result = error
    return settle(task, result, time.monotonic() - began, number)


def settle(
    task: FleetTask, result: Said | MiddenError, seconds: float, attempts: int = 1
) -> FleetRow:
    """Return the row of a task that was done or failed for good; failures are notified."""
    if isinstance(result, Said):
        outcome: Outcome = "attention" if result.attention else "ok"
        if result.alarming:
            outcome = "alarm" if result.code == AnomalyFound.exit_code else "failed"
        return make_row(task, outcome, result.code, None, result.words, seconds, attempts)
    _tell(task, result)
    outcome = "alarm" if isinstance(result, _DAMAGE) else "failed"
    kind = type(result).__name__
    code, said, may_pass = result.exit_code, str(result), result.retryable
    return make_row(task, outcome, code, kind, said, seconds, attempts, may_pass=may_pass)


def make_row(  # noqa: PLR0913, PLR0917 - the columns of a row
    task: FleetTask,
    outcome: Outcome,
    code: int,
    error: str | None,
    said: str,
    seconds: float = 0.0,
    attempts: int = 1,
    *,
    may_pass: bool = False,
) -> FleetRow:
    """Return the row of a task."""
    return FleetRow(
        name=task.name,
        target=str(task.target),
        vault=str(task.vault),
        remote=task.remote,
        outcome=outcome,
        code=code,
        error=error,
        said=said,
        seconds=round(seconds, 3),
        attempts=attempts,
        may_pass=may_pass,
    )


def _carry_out(task: FleetTask) -> Said:
    """Do it, within a slot of the disk; whatever fails is an error of ours, without values."""
    try:
        database = find_database(task)
        with disk_slot(lock_folder("disks"), disk_of(task.vault), task.options.per_disk):
            return without_panic(task.operation, lambda: DOING[task.operation](task, database))
    except MiddenError:
        raise
    except Exception as error:  # noqa: BLE001 - one database never stops the others
        known = explain(error, task.vault)
        unexpected = type(error).__name__
    if known is not None:  # outside of the block above, which would carry the values along
        raise known
    raise MiddenError(f"{task.target}: internal error {unexpected}; please report it")


def find_database(task: FleetTask) -> ConfiguredDatabase:
    """Return what the file says of the database; raises UsageError where it no longer names it."""
    try:
        stamp = task.file.stat()
        known = _read(task.file, stamp.st_mtime_ns, stamp.st_size, stamp.st_ino)
    except OSError:
        known = Configuration(task.file)
    found = known.find(task.name)
    if found is None or found.path != task.target:
        raise UsageError(
            f"{task.file}: it does not name {task.name} with this path, here where the work is "
            "done; give all machines the same file"
        )
    return found


@lru_cache(maxsize=1)
def _read(file: Path, _changed: int, _size: int, _number: int) -> Configuration:
    """Read the file once per process, and again where it has changed."""
    return read_configuration(file)


def _tell(task: FleetTask, error: MiddenError) -> None:
    """Notify whoever is configured of a failure, unless that was done while it ran."""
    try:
        database = find_database(task)
        notifying = database.settings.notifying
        if task.operation == "backup":
            conclude(scheduled_job(task, database), error, alerting_by(notifying))
        elif task.operation == "push" and not isinstance(error, AnomalyFound):
            conclude_push(push_job(task), error, push_alerting_by(notifying))
    except (MiddenError, OSError):
        return  # the row says what failed first
