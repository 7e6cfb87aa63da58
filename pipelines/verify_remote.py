"""Flow: read a remote, rebuild its logs in a scratch place, and compare with the database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from prefect import flow

from neotoma_core.offsite import job as verifying
from neotoma_core.offsite.job import VerifyJob
from neotoma_core.offsite.verify import VerifyRemoteRequest
from neotoma_core.settings.alerts import push_alerting
from neotoma_core.settings.environment import default_vault, key_source
from pipelines.recording import RunLog, record_verification
from pipelines.task_defaults import operation

verify_known = operation(verifying.verify_known).with_options(name="verify")


@flow(name="verify-remote", persist_result=False)
def verify_remote(
    *,
    target: Path,
    remote: str | None = None,
    vault: Path | None = None,
    sample: float | None = None,
    max_minutes: float = 60.0,
) -> None:
    """Verify ``remote``, by default the only one of the vault, against ``target``.

    ``sample``: the share of its contents that is read, all by default; none is begun after
    ``max_minutes``. Fails where an object is damaged, or something is missing. The identity is
    in the environment of the worker, as credentials are: MIDDEN_IDENTITY_FILE.
    """
    folder = vault or default_vault(target)
    request = VerifyRemoteRequest(folder, target, sample, timedelta(minutes=max_minutes))
    job = VerifyJob(request, datetime.now(UTC), remote)
    run = verify_known.submit(job, key_source(), RunLog())
    run.wait()
    result = run.result(raise_on_failure=False)
    outcome = verifying.conclude_verification(job, result, push_alerting(target))
    record_verification(outcome)
    outcome.require_whole()
