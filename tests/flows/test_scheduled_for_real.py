"""A server and a worker, started by the lines of scheduling.md, run what is scheduled in time."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.pages import DOCS, ROOT, blocks
from tests.support.backing_up import Vault, small_vault

SECONDS_TO_RUN = 1200  # on two cores that others use too


def lines_of_the_page() -> list[str]:
    """Return the commands that start a server, deploy and start a worker, in their order."""
    (block,) = [one for one in blocks(DOCS / "scheduling.md", "sh") if "prefect server" in one]
    return block.splitlines()


class Server:
    """A checkout that is deployed every minute, its server on a free port, and one worker."""

    def __init__(self, folder: Path, world: Vault) -> None:
        self.checkout = folder / "checkout"
        self.checkout.mkdir()
        for name in ("pipelines", "neotoma_core", "pyproject.toml"):
            (self.checkout / name).symlink_to(ROOT / name)
        self._name_target(world)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        bin_folder = Path(sys.executable).parent
        self.environment = {
            **os.environ,  # noqa: TID251 - a child's
            "PATH": f"{bin_folder}:{os.environ['PATH']}",  # noqa: TID251 - a child's
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_SERVER_API_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }

    def _name_target(self, world: Vault) -> None:
        text = yaml.safe_load((ROOT / "prefect.yaml").read_text())
        for deployment in text["deployments"]:
            deployment.pop("schedules", None)
            if deployment["name"] == "scheduled-backup":
                deployment["parameters"] |= {
                    "targets": [str(world.target)],
                    "vault": str(world.vault),
                }
                deployment["schedules"] = [{"cron": "* * * * *"}]
        (self.checkout / "prefect.yaml").write_text(yaml.safe_dump(text))

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def script(self, lines: list[str]) -> str:
        return "\n".join(["set -e", *lines]).replace("http://127.0.0.1:4200/api", self.api)

    def run(self, *lines: str) -> None:
        done = subprocess.run(
            ["bash", "-c", self.script(list(lines))],
            cwd=self.checkout,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def start(self, *lines: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["bash", "-c", self.script(list(lines))],
            cwd=self.checkout,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path / "world")


@pytest.fixture
def served(tmp_path: Path, world: Vault) -> Iterator[Server]:
    assert shutil.which("bash")
    server = Server(tmp_path, world)
    export, *setting_up, worker = lines_of_the_page()
    try:
        server.run(export, *setting_up)
        running = server.start(export, worker)
        try:
            yield server
        finally:
            os.killpg(running.pid, signal.SIGINT)
            try:
                running.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
    finally:
        server.run(export, "prefect server stop")


def first_ended(client: SyncPrefectClient) -> FlowRun:
    """Return the first flow run that has ended, once there is one."""
    end = time.monotonic() + SECONDS_TO_RUN
    runs: list[FlowRun] = []
    while time.monotonic() < end:
        with suppress(PrefectHTTPStatusError):  # its database is busy with its own scheduler
            runs = client.read_flow_runs()
        for run in runs:
            if run.state is not None and run.state.is_final():
                return run
        time.sleep(0.5)
    pytest.fail(f"no scheduled run has ended: {[run.state_name for run in runs]}")


def test_a_schedule_fires_and_its_run_finishes(served: Server, world: Vault) -> None:
    with (
        temporary_settings({PREFECT_API_URL: served.api}),
        get_client(sync_client=True) as client,
    ):
        run = first_ended(client)
        assert run.auto_scheduled
        assert run.state is not None
        assert run.state.is_completed(), run.state.message
        artifacts = [a for a in client.read_artifacts() if a.flow_run_id == run.id]
    assert [a.key for a in artifacts] == ["backup-report"]
    assert world.backups[0].state.is_verified
