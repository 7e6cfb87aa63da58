"""Running the scheduled flows on one machine: what ``midden serve`` does."""

from pathlib import Path
from typing import Any

from prefect import Flow, serve
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron

from pipelines.scheduled_backup import scheduled_backup
from pipelines.verify_backups import verify_backups


def serve_schedules(
    targets: list[Path], *, vault: Path | None, backup_cron: str, verify_cron: str
) -> None:
    """Run backups and drills of ``targets`` on schedule until the process is stopped."""
    parameters: dict[str, Any] = {
        "targets": [str(target) for target in targets],
        "vault": str(vault) if vault else None,
    }
    serve(
        _served(scheduled_backup, backup_cron, parameters),
        _served(verify_backups, verify_cron, parameters),
    )


def _served(flow: Flow[Any, Any], cron: str, parameters: dict[str, Any]) -> RunnerDeployment:
    deployment = flow.to_deployment(
        "served", schedule=Cron(cron), parameters=parameters, tags=["midden"]
    )
    assert isinstance(deployment, RunnerDeployment)  # noqa: S101 - it is a coroutine in a loop only
    return deployment
