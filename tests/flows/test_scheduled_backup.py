"""Scheduled flows: each database by itself, alarms told, drills repeated, deployed as said."""

import json
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient

from neotoma_core.backup.protection import protection_of
from neotoma_core.errors import AnomalyFound, BackupNotIntact, TargetRuined, UsageError
from pipelines import scheduled_backup as scheduled_module
from pipelines.scheduled_backup import scheduled_backup
from pipelines.verify_backups import verify_backups
from tests.flows.test_bulk_recovery import read_log
from tests.support.backing_up import Vault, fill, small_vault

ROOT = Path(__file__).parents[2]
FLOWS: dict[str, Flow[Any, Any]] = {
    "scheduled-backup": scheduled_backup,
    "verify-backups": verify_backups,
}


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path)


def test_a_database_is_backed_up_proven_and_reported(
    world: Vault, client: SyncPrefectClient
) -> None:
    scheduled_backup(targets=[world.target], vault=world.vault, interval_hours=12.0)
    (backup,) = world.backups
    assert (backup.manifest.kind, backup.state.is_verified) == ("scheduled", True)
    described = json.loads((world.vault / "vault.json").read_text())
    assert described["schedule_seconds"] == 12 * 3600
    (artifact,) = [a for a in client.read_artifacts() if str(world.target) in (a.description or "")]
    assert backup.name in str(artifact.data)
    line = f"{world.target}: backup {backup.name}: 40 observations, 40 entities, verified"
    said = f"{line}, 0 old ones removed"
    assert said in read_log(client, artifact.flow_run_id, until={said})


def test_what_fails_for_one_does_not_stop_the_others(
    world: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = world.folder / "broken.db"
    broken.write_bytes(b"no database")
    monkeypatch.setattr(scheduled_module, "default_vault", lambda p: world.folder / f"v-{p.name}")
    with pytest.raises(TargetRuined):
        scheduled_backup(targets=[broken, world.target])
    vault = world.folder / f"v-{world.target.name}"
    assert protection_of(vault, world.now).backups == 1


def test_a_loss_is_an_event_and_freezes_rotation(
    world: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        scheduled_module,
        "emit_event",
        lambda event, _, payload: events.append((event, payload["reasons"])),
    )
    world.back_up()
    fill(world.target, 2)
    with pytest.raises(AnomalyFound):
        scheduled_backup(targets=[world.target], vault=world.vault)
    ((event, reasons),) = events
    assert (event, reasons[0]) == ("midden.anomaly", "observations: 2, usually 40")
    assert protection_of(world.vault, world.now).frozen


def test_drills_are_repeated_and_a_failed_one_fails_the_flow(world: Vault) -> None:
    world.back_up(drill=False)
    verify_backups(targets=[world.target], vault=world.vault)
    assert world.backups[0].state.is_verified
    database = world.place() / "database.db.zst"
    raw = bytearray(database.read_bytes())
    raw[50] ^= 1
    database.write_bytes(raw)
    with pytest.raises(BackupNotIntact):
        verify_backups(targets=[world.target], vault=world.vault, max_age_days=0.0)


@pytest.mark.parametrize("name", FLOWS)
def test_a_schedule_that_protects_nothing_fails(name: str) -> None:
    with pytest.raises(UsageError, match="no database is named"):
        FLOWS[name](targets=[])


@pytest.mark.parametrize("name", FLOWS)
def test_the_deployment_names_the_flow_its_schedule_and_all_its_parameters(name: str) -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    (deployment,) = (d for d in deployments if d["name"] == name)
    path, _, function = deployment["entrypoint"].partition(":")
    assert (ROOT / path).is_file()
    assert (FLOWS[name].name, FLOWS[name].fn.__name__) == (name, function)
    assert [schedule["cron"] for schedule in deployment["schedules"]]
    parameters = signature(FLOWS[name].fn).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    assert deployment["parameters"] == {"targets": [], **defaults}
