"""The flow over a whole configuration: a task each, retries by the error, a table, events."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml  # type: ignore[import-untyped]
from distributed import LocalCluster
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun

from neotoma_core.errors import FleetError, SchedulerUnreachable, UsageError
from neotoma_core.fleet.task import Operation
from neotoma_core.vault.folder import lock_vault
from pipelines import fleet as module
from pipelines import recording
from pipelines.fleet import fleet, work_on_database
from tests.support.backing_up import fill
from tests.support.fleet_faults import damage
from tests.support.fleets import Fleet, small_fleet

ROOT = Path(__file__).parents[2]
Events = list[tuple[str, str, int]]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setenv("MIDDEN_CONFIG", "")  # the flow sets it: put back after the test
    return small_fleet(tmp_path / "fleet", ["a", "b", "c"], 60)


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    emitted: Events = []

    def note(event: str, resource: dict[str, str], payload: dict[str, Any]) -> None:
        emitted.append((event, resource["prefect.resource.id"], payload["code"]))

    monkeypatch.setattr(recording, "emit_event", note)
    return emitted


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between retries."""
    quick = work_on_database.with_options(retry_delay_seconds=0)
    monkeypatch.setattr(module, "work_on_database", quick)


def table_of(client: SyncPrefectClient, operation: str) -> dict[str, dict[str, Any]]:
    """Return the rows of the last table of an operation, by database."""
    found = [one for one in client.read_artifacts() if one.key == f"fleet-{operation}"]
    last = max(found, key=lambda one: str(one.created))
    return {row["database"]: row for row in json.loads(str(last.data))}


def last_run(client: SyncPrefectClient, name: str) -> FlowRun:
    flow = client.read_flow_by_name(name)
    runs = [run for run in client.read_flow_runs() if run.flow_id == flow.id]
    return max(runs, key=lambda run: str(run.created))


def test_each_database_is_a_task_and_the_table_an_artifact(
    world: Fleet, client: SyncPrefectClient, events: Events
) -> None:
    fleet(operation="backup", configuration=world.file)
    rows = table_of(client, "backup")
    assert {name: row["outcome"] for name, row in rows.items()} == dict.fromkeys("abc", "ok")
    assert "observations, verified" in rows["a"]["what happened"]
    assert all(len(one.backups) == 1 for one in world.databases.values())
    assert events == []
    run = last_run(client, "fleet-databases")
    tasks = [one for one in client.read_task_runs() if one.flow_run_id == run.id]
    assert {one.name for one in tasks} == {"a", "b", "c"}


@pytest.mark.usefixtures("at_once")
def test_one_that_fails_stops_no_other_and_each_alarm_is_an_event(
    world: Fleet, client: SyncPrefectClient, events: Events
) -> None:
    fleet(operation="backup", configuration=world.file)
    damage(world.databases["a"])
    fill(world.databases["b"].target, 1)
    with pytest.raises(FleetError, match="2 of 3 databases need somebody: b, a"):
        fleet(operation="backup", configuration=world.file)
    assert sorted(events) == [
        ("midden.anomaly", "midden.database.b", 6),
        ("midden.backup-failed", "midden.database.a", 11),
    ]
    rows = table_of(client, "backup")
    assert [rows[name]["outcome"] for name in "abc"] == ["alarm", "alarm", "ok"]
    assert len(world.databases["c"].backups) == 2
    run = last_run(client, "fleet-databases")
    states = {
        one.name: one.state_name for one in client.read_task_runs() if one.flow_run_id == run.id
    }
    assert states == {"a": "Failed", "b": "Failed", "c": "Completed"}


@pytest.mark.usefixtures("at_once")
def test_what_may_pass_is_retried_as_its_class_says_and_nothing_else_is(
    world: Fleet, client: SyncPrefectClient, events: Events
) -> None:
    fleet(operation="backup", configuration=world.file)
    damage(world.databases["a"])
    with lock_vault(world.databases["b"].vault), pytest.raises(FleetError):
        fleet(operation="backup", configuration=world.file)
    rows = table_of(client, "backup")
    assert [rows[name]["attempts"] for name in "abc"] == [1, 4, 1]
    assert ("midden.backup-failed", "midden.database.b", 21) in events


@pytest.mark.parametrize("operation", get_args(Operation))
def test_every_operation_runs(
    operation: Operation, world: Fleet, tmp_path: Path, client: SyncPrefectClient
) -> None:
    for one in world.databases.values():
        one.back_up()
    # A status is measured from today, by which these backups are long overdue.
    overdue = pytest.raises(FleetError, match="2 of 2") if operation == "status" else nullcontext()
    with overdue:
        fleet(
            operation=operation,
            configuration=world.file,
            names=["a", "c"],
            max_age_days=0.0,
            to=tmp_path / "exports",
        )
    assert set(table_of(client, operation)) == {"a", "c"}


def test_a_configuration_that_cannot_be_used_fails_before_anything_is_done(world: Fleet) -> None:
    with pytest.raises(UsageError, match="no database of that name"):
        fleet(operation="backup", configuration=world.file, names=["d"])
    world.file.write_text("")
    with pytest.raises(UsageError, match="names no database"):
        fleet(operation="backup", configuration=world.file)
    assert not any(one.vault.exists() for one in world.databases.values())


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as made:
        yield made


def test_the_tasks_run_on_dask(
    world: Fleet, cluster: LocalCluster, client: SyncPrefectClient, events: Events
) -> None:
    world.configure(f'[fleet]\ntask_runner = "dask"\nscheduler = "{cluster.scheduler_address}"\n')
    damage(world.databases["b"])
    with pytest.raises(FleetError, match="1 of 3 databases need somebody: b"):
        fleet(operation="backup", configuration=world.file)
    rows = table_of(client, "backup")
    assert [rows[name]["outcome"] for name in "abc"] == ["ok", "alarm", "ok"]
    assert events == [("midden.backup-failed", "midden.database.b", 11)]
    assert len(world.databases["c"].backups) == 1


def test_a_scheduler_that_is_not_there_fails_the_flow_before_anything_is_done(
    world: Fleet,
) -> None:
    world.configure('[fleet]\nscheduler = "tcp://127.0.0.1:1"\n')
    with pytest.raises(SchedulerUnreachable):
        fleet(operation="backup", configuration=world.file, task_runner="dask")
    world.configure()
    with pytest.raises(UsageError, match="needs a scheduler"):
        fleet(operation="backup", configuration=world.file, task_runner="dask")
    assert not any(one.vault.exists() for one in world.databases.values())


def test_the_deployments_name_the_flow_and_all_its_parameters() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    ours = {d["name"]: d for d in deployments if d["entrypoint"] == "pipelines/fleet.py:fleet"}
    operations = set(get_args(Operation)) - {"find"}
    assert set(ours) == {f"fleet-{one}" for one in operations}
    parameters = signature(fleet.fn).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    longest = {"fleet-verify": {"max_minutes": 60.0}}
    for name, deployment in ours.items():
        of_it = {"operation": name.removeprefix("fleet-"), **longest.get(name, {})}
        assert deployment["parameters"] == {**defaults, **of_it}
        assert deployment["schedules"]
