"""Flow: merge scattered backups into one database and rebuild its entity snapshots."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, unmapped
from prefect.task_runners import ThreadPoolTaskRunner

from neotoma_core.files.interrupts import release
from neotoma_core.merge.policy import MergeMode, MergePolicy, ReingestedMode
from neotoma_core.recovery import steps as recovery_steps
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.runs.evidence import require_space
from neotoma_core.settings.environment import (
    default_vault,
    key_source,
    neotoma_environment,
    raw_storage,
)
from pipelines.recording import RunLog, record_report
from pipelines.task_defaults import operation

read_database = operation(recovery_steps.secure_and_read).with_options(
    task_run_name="read {database.label}"
)
hash_raw_files = operation(recovery_steps.hash_raw_files)
merge_and_publish = operation(recovery_steps.merge_and_publish)


@flow(
    name="bulk-recovery",
    # A database that is being read is in memory. (Prefect types its own runners too narrowly.)
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type]
    persist_result=False,
)
def bulk_recovery(  # noqa: PLR0913 - one parameter per option of `midden recover`
    *,
    target: Path,
    backups: list[Path],
    mode: MergeMode = "keep-target",
    reingested: ReingestedMode = "by-mode",
    vault: Path | None = None,
    skip_unreadable: bool = False,
    allow_environment_mismatch: bool = False,
    archive: bool = True,
) -> None:
    """Recover ``target`` from ``backups``, in their order, without asking.

    A production database is refused where keep-source would overwrite nearly all observations.
    The parameters are the options of ``midden recover``. Relative paths start where the worker
    runs.
    """
    request = RecoverRequest(
        target=target,
        backups=tuple(backups),
        vault=vault or default_vault(target),
        policy=MergePolicy(mode, reingested),
        skip_unreadable=skip_unreadable,
        allow_environment_mismatch=allow_environment_mismatch,
        archived=archive,
        raw_storage=raw_storage(target),
        key=key_source(),  # from Neotoma's own variables: anybody may read a parameter
    )
    progress = RunLog()
    with release(), recovery_run(request, datetime.now(UTC)) as run:
        require_space(run)
        raw_files = hash_raw_files.submit(run)
        databases = read_database.map(unmapped(run), run.databases, unmapped(progress))
        raw_files.wait()  # also where one has failed: until the last has ended, the vault is ours
        databases.wait()
        report = merge_and_publish(
            run, databases.result(), raw_files.result(), progress, neotoma_environment()
        )
        record_report(report)
