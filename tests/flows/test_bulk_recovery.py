"""The recovery as a flow: the same result, retried where the error says so, its report stored."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prefect import Task
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import Artifact, State, TaskRun
from prefect.client.schemas.sorting import FlowRunSort

from neotoma_core.errors import BackupDamaged, TargetLocked, VaultLocked
from neotoma_core.sqlite import copies
from neotoma_core.vault import folder as vault
from pipelines.bulk_recovery import (
    bulk_recovery,
    hash_raw_files,
    merge_and_publish,
    read_database,
)
from pipelines.task_defaults import RETRY_DELAYS_SECONDS, is_retryable
from tests.conftest import copy_databases
from tests.support.databases import count, entity, make_database, observation

SECONDS_TO_ARRIVE = 600  # only a test that fails waits so long
ROOT = Path(__file__).parents[2]
PLANTED = "what nobody else should read"
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def recovered(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The incident after the flow; its vault is next to it."""
    incident = copy_databases(unpacked, tmp_path_factory.mktemp("recovered"))
    bulk_recovery(
        target=incident / "data" / "neotoma.prod.db",
        backups=[
            incident / "backups" / "neotoma.prod.db.db",
            incident / "backups" / "neotoma.prod 2.db",
        ],
        vault=incident.parent / "vault",
    )
    return incident


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path]:
    """A target and a backup with one observation each."""
    target = make_database(
        tmp_path / "target.db", {"entities": [entity("e1")], "observations": [observation("o1")]}
    )
    kept_aside = observation("o2", fields=f'{{"title":"{PLANTED}"}}')
    return target, make_database(tmp_path / "backup.db", {"observations": [kept_aside]})


def test_the_flow_recovers_the_incident(recovered: Path) -> None:
    target = recovered / "data" / "neotoma.prod.db"
    assert count(target, "observations") == 6296
    assert count(target, "entities") == 3951
    assert count(target, "entity_snapshots") == 3939
    assert count(target, "relationship_snapshots") == 400


def test_the_report_is_an_artifact_of_the_run(recovered: Path, client: SyncPrefectClient) -> None:
    (report,) = (recovered.parent / "vault" / "reports").glob("2*/report.json")
    (artifact,) = artifacts_about(client, recovered)
    text, _, rest = str(artifact.data).partition("```json\n")
    assert json.loads(rest.partition("\n```")[0]) == json.loads(report.read_text())
    assert "6,296" in text
    assert artifact.flow_run_id is not None


def test_the_log_has_steps_and_counts(recovered: Path, client: SyncPrefectClient) -> None:
    (artifact,) = artifacts_about(client, recovered)
    wanted = {
        "read backup-2",
        "publish",
        "backup-2: 2522 observations, adds 100",
        "observations: 84 before, 6296 after",
    }
    assert wanted <= read_log(client, artifact.flow_run_id, until=wanted)


def test_each_database_is_one_task(recovered: Path, client: SyncPrefectClient) -> None:
    (artifact,) = artifacts_about(client, recovered)
    wanted = {"read target", "read backup-1", "read backup-2"}
    assert {n for n in task_names(client, artifact.flow_run_id, wanted) if "read " in n} == wanted


def test_prefect_stores_no_rows_and_no_results(
    small: tuple[Path, Path], tmp_path: Path, client: SyncPrefectClient, prefect_home: Path
) -> None:
    target, backup = small
    before = set(prefect_home.glob("storage/*"))
    bulk_recovery(target=target, backups=[backup], vault=tmp_path / "vault")
    assert set(prefect_home.glob("storage/*")) == before
    (artifact,) = artifacts_about(client, target)
    assert PLANTED not in str(artifact.data)


def test_a_locked_target_is_tried_again_while_the_vault_stays_ours(
    small: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, backup = small
    monkeypatch.setattr(copies, "_PATIENCE_SECONDS", 0.1)
    with lock(target) as unlock:

        def in_between() -> None:
            with pytest.raises(VaultLocked), vault.lock_vault(tmp_path / "vault"):
                pass
            unlock()

        answers = watch_retries(read_database, monkeypatch, in_between)
        bulk_recovery(target=target, backups=[backup], vault=tmp_path / "vault")
    assert answers == [(TargetLocked, True)]
    assert count(target, "observations") == 2


def test_a_damaged_backup_is_not_tried_again_and_fails_the_flow(
    incident: Path, tmp_path: Path, client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, backup = incident / "data/neotoma.prod.db", incident / "backups/neotoma.prod.db.db"
    before = target.read_bytes()
    with backup.open("r+b") as file:
        file.seek(200 * 4096)
        file.write(b"\xff" * 40 * 4096)
    answers = watch_retries(read_database, monkeypatch)
    with pytest.raises(BackupDamaged, match=r"neotoma\.prod\.db\.db: damaged"):
        bulk_recovery(target=target, backups=[backup], vault=tmp_path / "vault")
    assert answers == [(BackupDamaged, False)]
    assert target.read_bytes() == before
    assert artifacts_about(client, target) == []
    (run,) = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)
    assert run.state_name == "Failed"
    with vault.lock_vault(tmp_path / "vault"):
        pass  # nobody holds it any longer


@pytest.mark.parametrize("operation", [read_database, hash_raw_files, merge_and_publish])
def test_every_task_asks_the_error_and_stores_nothing(operation: Task[..., Any]) -> None:
    assert operation.retry_condition_fn is is_retryable
    assert operation.retries == len(RETRY_DELAYS_SECONDS)
    assert operation.persist_result is False


def test_the_deployment_names_the_flow_and_all_its_parameters() -> None:
    listed = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    (deployment,) = (d for d in listed if d["name"] == bulk_recovery.name)
    path, _, name = deployment["entrypoint"].partition(":")
    assert (ROOT / path).is_file()
    assert bulk_recovery.name == deployment["name"]
    assert bulk_recovery.fn.__name__ == name
    defaults = {
        parameter.name: parameter.default
        for parameter in signature(bulk_recovery.fn).parameters.values()
        if parameter.default is not parameter.empty
    }
    assert deployment["parameters"] == defaults


@contextmanager
def lock(database: Path) -> Iterator[Callable[[], object]]:
    """Let another process keep ``database`` to itself; yield what ends that."""
    command = [sys.executable, "-c", LOCKER, str(database)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield lambda: process.communicate("\n")


def watch_retries(
    task: Task[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    in_between: Callable[[], None] = lambda: None,
) -> list[tuple[object, bool]]:
    """Return a list that fills with each error of ``task`` and whether it is tried again."""
    answers: list[tuple[object, bool]] = []
    decide: Any = task.retry_condition_fn

    def ask(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
        answer = bool(decide(task, run, state))
        answers.append((type(state.data), answer))
        in_between()
        return answer

    monkeypatch.setattr(task, "retry_condition_fn", ask)
    monkeypatch.setattr(task, "retry_delay_seconds", [0.0])
    return answers


def artifacts_about(client: SyncPrefectClient, place: Path) -> list[Artifact]:
    return [a for a in client.read_artifacts() if str(place) in (a.description or "")]


def read_log(client: SyncPrefectClient, run: object, until: set[str]) -> set[str]:
    """Return the messages of a flow run, which Prefect sends in batches, once they are there."""
    return eventually(
        lambda: {log.message for log in client.read_logs() if log.flow_run_id == run}, until
    )


def task_names(client: SyncPrefectClient, run: object, until: set[str]) -> set[str]:
    return eventually(
        lambda: {task.name for task in client.read_task_runs() if task.flow_run_id == run}, until
    )


def eventually(read: Callable[[], set[str]], wanted: set[str]) -> set[str]:
    deadline = time.monotonic() + SECONDS_TO_ARRIVE
    while not wanted <= (found := read()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found
