"""A worker killed half way, a server that restarts, two workers on one pool: one backup is made up.

The server and the workers are those of scheduling.md, as in ``test_scheduled_for_real``.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Scheduled

from tests.flows.test_scheduled_for_real import SECONDS_TO_RUN, Server, lines_of_the_page
from tests.support.backing_up import Vault, small_vault
from tests.support.fleet_faults import lock

NAME = "scheduled-backup/scheduled-backup"


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path / "world")


@pytest.fixture
def server(tmp_path: Path, world: Vault) -> Iterator[Server]:
    """A server with the deployments; no schedule fires, and there is no worker yet."""
    made = Server(tmp_path, world)
    plan = made.checkout / "prefect.yaml"
    plan.write_text(plan.read_text().replace("cron: '* * * * *'", "cron: '0 0 1 1 *'"))
    made.environment["XDG_STATE_HOME"] = str(tmp_path / "state")
    export, *setting_up, _ = lines_of_the_page()
    try:
        made.run(export, *setting_up)
        yield made
    finally:
        made.run(export, "prefect server stop")


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something holds; the server may not answer for a while."""
    end = time.monotonic() + SECONDS_TO_RUN
    while time.monotonic() < end:
        with suppress(Exception):  # it restarts, or its database is busy
            if condition():
                return
        time.sleep(0.2)
    pytest.fail(what)


def kill_all(group: int, home: Path) -> None:
    """Kill a worker and its runs, which have sessions of their own, until none of them is left."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    until(lambda: not kill_runs(home), "not killed")


def kill_runs(home: Path) -> bool:
    """Kill what works in a Prefect home of a test, but for its server; return whether any did."""
    found = False
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_of_it = process.environ().get("PREFECT_HOME") == str(home)
            if is_of_it and not any("server" in word for word in process.cmdline()):
                process.kill()
                found = True
    return found


def ask_for(client: SyncPrefectClient, late: timedelta) -> UUID:
    """Ask for a run of the deployment that was due some time ago."""
    due = datetime.fromtimestamp(time.time(), UTC) - late
    deployment = client.read_deployment_by_name(NAME)
    return client.create_flow_run_from_deployment(
        deployment.id, state=Scheduled(scheduled_time=due)
    ).id


def test_a_killed_run_and_late_ones_are_made_up_once(
    server: Server, world: Vault, tmp_path: Path
) -> None:
    export, *_, worker = lines_of_the_page()
    with (
        temporary_settings({PREFECT_API_URL: server.api}),
        get_client(sync_client=True) as client,
    ):

        def state(run: UUID) -> str | None:
            return client.read_flow_run(run).state_name

        first = server.start(export, worker)
        with lock(world):  # so that its run is half way, waiting for the database
            killed = ask_for(client, timedelta(0))
            until((tmp_path / "state/midden/runs" / f"{killed}.run").exists, "not begun")
            kill_all(first.pid, tmp_path / "prefect")
            first.wait()
        assert state(killed) == "Running", "as Prefect leaves it"
        assert not world.vault.exists() or world.backups == ()

        server.run(export, "prefect server stop", "prefect server start --background")
        until(client.hello, "the server did not come back")
        late = [ask_for(client, timedelta(days=days)) for days in (3, 2, 1)]
        workers = [server.start(export, worker) for _ in range(2)]
        try:
            for run in late:
                until(lambda run=run: state(run) == "Completed", f"{run} did not end")  # type: ignore[misc]
        finally:
            for one in workers:
                os.killpg(one.pid, signal.SIGINT)
                one.wait(120)
        assert state(killed) == "Crashed"
        assert len(world.backups) == 1
        assert world.backups[0].state.is_verified
