"""Flow: push what is new in a database, its raw files and its backups to a remote."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow

from neotoma_core.push import job as pushing
from neotoma_core.push.job import PushJob
from neotoma_core.settings.alerts import push_alerting
from neotoma_core.settings.environment import default_vault, key_source, raw_storage
from pipelines.recording import RunLog, record_push
from pipelines.task_defaults import operation

push_database = operation(pushing.push_database).with_options(name="push")


@flow(name="push-remote", persist_result=False)
def push_remote(*, target: Path, remote: str | None = None, vault: Path | None = None) -> None:
    """Push what ``remote`` lacks of ``target``; by default the only remote of its vault.

    Fails where the push failed, or where the database was held back because much of it is gone.
    Credentials and keys are in the environment of the worker: nobody may read them as parameters.
    """
    now = datetime.now(UTC)
    job = PushJob(target, vault or default_vault(target), now, remote, raw_storage(target))
    run = push_database.submit(job, key_source(), RunLog())
    run.wait()
    outcome = pushing.conclude_push(job, run.result(raise_on_failure=False), push_alerting(target))
    record_push(outcome)
    outcome.require_whole()
