"""Tasks on Dask: a scheduler that is not there or has no workers, other versions, a lost worker."""

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster, Worker

from neotoma_core.errors import SchedulerUnreachable, UsageError, WorkersDiffer
from neotoma_core.fleet.on_scheduler import run_on_scheduler, work_on_it
from neotoma_core.fleet.run import FleetRequest, run_fleet
from neotoma_core.report.progress import Silent
from neotoma_core.settings.configuration import read_configuration
from neotoma_core.settings.environment import configuration
from neotoma_core.settings.fleet_table import FleetSettings
from neotoma_core.stages.connecting import connect_client, find_differing, versions_here
from tests.conftest import NOW
from tests.fleet.test_processes import status_of
from tests.support.fleet_faults import damage
from tests.support.fleets import small_fleet


class DeadlyToWorkers(str):
    """A name that crashes each worker it is sent to; the scheduler reads it, too."""

    __slots__ = ()

    def __reduce__(self) -> tuple[object, ...]:
        return crash_worker, (str(self),)


def crash_worker(name: str) -> DeadlyToWorkers:
    if list(Worker._instances):  # noqa: SLF001 - there is one in workers only
        os.abort()
    return DeadlyToWorkers(name)


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers in processes of their own, without a page to look at."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as made,
    ):
        yield made


def on(cluster: LocalCluster) -> FleetSettings:
    return FleetSettings(task_runner="dask", scheduler=cluster.scheduler_address)


def test_a_fleet_is_worked_on_by_workers(cluster: LocalCluster, tmp_path: Path) -> None:
    fleet = small_fleet(tmp_path, ["a", "b", "c"], 60)
    damage(fleet.databases["b"])
    known = read_configuration(fleet.file)
    request = FleetRequest("backup", settings=on(cluster))
    report = run_fleet(request, known, NOW, Silent())
    assert [(row.name, row.outcome) for row in report.rows] == [
        ("a", "ok"),
        ("b", "alarm"),
        ("c", "ok"),
    ]
    assert len(fleet.databases["c"].backups) == 1


def test_a_database_that_crashes_each_worker_is_named_and_the_rest_is_done(
    cluster: LocalCluster, tmp_path: Path
) -> None:
    small_fleet(tmp_path, ["a"])
    well = status_of(tmp_path)
    tasks = [replace(well, name=DeadlyToWorkers("x")), well]
    rows = {str(task.name): row for task, row in run_on_scheduler(tasks, on(cluster))}
    assert (rows["x"].error, rows["x"].code) == ("ProcessLost", 45)
    assert rows["a"].code == 6


def test_a_scheduler_that_is_not_there_is_an_error_soon() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(
        SchedulerUnreachable, match="it did not answer within 1 seconds; nothing was changed"
    ) as failed:
        connect_client(address, patience=1)
    assert (failed.value.exit_code, failed.value.retryable) == (41, True)


def test_something_else_that_listens_there_is_an_error_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(SchedulerUnreachable, match="it did not answer"):
            connect_client(address, patience=1)
    assert time.monotonic() - began < 60


def test_a_scheduler_without_workers_is_an_error_soon() -> None:
    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=0, dashboard_address="127.0.0.1:0", silence_logs=50
        ) as empty,
        pytest.raises(SchedulerUnreachable, match="it has no worker"),
    ):
        connect_client(empty.scheduler_address, patience=0.5)


def test_workers_of_another_version_are_found() -> None:
    here = versions_here()
    assert set(here) > {"python", "midden", "polars", "dask", "distributed"}
    assert find_differing(here, {"w1": dict(here)}) == ""
    other = {"w1": dict(here), "w2": {**here, "midden": "0.0.1"}}
    assert find_differing(here, other).startswith("its worker w2 has midden 0.0.1, and here it is")
    assert find_differing(here, {"w1": ImportError()}) == "its worker w1 cannot load midden"
    assert find_differing(here, {"w1": {"midden": here["midden"]}}) != ""


def test_a_worker_with_another_midden_stops_the_run_before_anything_is_done(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neotoma_core.stages.connecting._version", lambda name: f"another {name}")
    with pytest.raises(WorkersDiffer, match="install the same versions") as refused:
        connect_client(cluster.scheduler_address)
    assert refused.value.exit_code == 42


def test_a_runner_without_an_address_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="name it with --scheduler"):
        list(run_on_scheduler([], FleetSettings(task_runner="dask")))


def test_a_worker_goes_by_the_file_of_the_task_whatever_it_was_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_fleet(tmp_path, ["a"])
    monkeypatch.setenv("MIDDEN_CONFIG", "/not/there/midden.toml")
    row = work_on_it(status_of(tmp_path), 1, last=True)
    assert row.code == 6, row.said
    assert configuration().file == tmp_path / "midden.toml"
