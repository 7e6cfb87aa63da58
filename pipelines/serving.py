"""Running the scheduled flows on one machine: what ``midden serve`` does."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from prefect import Flow, serve
from prefect.deployments.runner import RunnerDeployment
from prefect.settings import PREFECT_API_URL, temporary_settings

from neotoma_core.errors import UsageError
from pipelines.scheduled_backup import scheduled_backup
from pipelines.verify_backups import verify_backups

_SECONDS_TO_START: Final = 120


def serve_schedules(
    targets: list[Path], *, vault: Path | None, backup_cron: str, verify_cron: str
) -> None:
    """Run backups and drills of ``targets`` on schedule until the process is stopped.

    Where no server is set, one is started for as long as this runs: a temporary server as Prefect
    itself would start it schedules nothing. Raises UsageError where it does not start.
    """
    parameters: dict[str, Any] = {
        "targets": [str(target) for target in targets],
        "vault": str(vault) if vault else None,
    }
    with _server():
        serve(
            _served(scheduled_backup, backup_cron, parameters),
            _served(verify_backups, verify_cron, parameters),
        )


def _served(flow: Flow[Any, Any], cron: str, parameters: dict[str, Any]) -> RunnerDeployment:
    deployment = flow.to_deployment("served", cron=cron, parameters=parameters, tags=["midden"])
    assert isinstance(deployment, RunnerDeployment)  # noqa: S101 - it is a coroutine in a loop only
    return deployment


@contextmanager
def _server() -> Iterator[None]:
    """Use the server that is set, or one of this process's own.

    In a session of its own: an interrupt at the terminal ends the flows first, who tell the server.
    """
    if PREFECT_API_URL.value():
        yield
        return
    port = _free_port()
    words = ("-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    with subprocess.Popen(  # noqa: S603 - our own interpreter and words
        [sys.executable, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}/api"
            _wait_for(url, process)
            with temporary_settings({PREFECT_API_URL: url}):
                yield
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise UsageError(
        "a Prefect server could not be started; start one yourself with `prefect server start`, "
        "and set PREFECT_API_URL"
    )
