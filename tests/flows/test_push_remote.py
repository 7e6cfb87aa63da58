"""The flow that pushes: its artifact, what fails it, how it is deployed, and ``midden serve``."""

import json
from inspect import signature
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import SyncPrefectClient

from neotoma_core.errors import AnomalyFound, RemoteError
from neotoma_core.offsite.add import AddRequest, add_remote
from neotoma_core.remotes.remote import read_logs
from neotoma_core.stores.opening import open_store
from pipelines.push_remote import push_remote
from pipelines.serving import back_up_and_push
from tests.support.backing_up import Vault, fill, small_vault
from tests.support.remotes import Machine

ROOT = Path(__file__).parents[2]
NEVER = ("identity", "key", "credential", "secret", "token", "profile")


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    return small_vault(tmp_path)


@pytest.fixture
def machine(world: Vault) -> Machine:
    (world.folder / "nas").mkdir()
    made = Machine(world.folder, f"file://{world.folder}/nas", world.target)
    made.add()
    return made


def artifacts(client: SyncPrefectClient, machine: Machine) -> list[str]:
    """Return the push reports of a database, oldest first."""
    found = [a for a in client.read_artifacts() if str(machine.database) in (a.description or "")]
    pushed = [a for a in found if a.key == "push-report"]
    return [str(a.data) for a in sorted(pushed, key=lambda a: str(a.created))]


def test_a_push_is_reported_as_an_artifact(machine: Machine, client: SyncPrefectClient) -> None:
    push_remote(target=machine.database, remote="there", vault=machine.vault)
    (log,) = read_logs(machine.remote()).values()
    assert log.entries[-1].counts is not None
    (data,) = artifacts(client, machine)
    report = json.loads(data.rpartition("```json\n")[2].partition("\n```")[0])
    assert (report["outcome"], report["versions"]["observations"]) == ("pushed", 40)


def test_what_is_held_back_fails_the_run_and_is_reported(
    machine: Machine, client: SyncPrefectClient
) -> None:
    push_remote(target=machine.database, vault=machine.vault)
    fill(machine.database, 2)
    with pytest.raises(AnomalyFound, match="observations: 2, usually 40"):
        push_remote(target=machine.database, vault=machine.vault)
    assert '"outcome":"held"' in artifacts(client, machine)[-1]


def test_serving_pushes_after_the_backup_and_what_fails_costs_no_backup(
    world: Vault, machine: Machine, client: SyncPrefectClient
) -> None:
    (world.folder / "other").mkdir()
    url, identity = f"file://{world.folder}/other", world.folder / "other.identity"
    request = AddRequest("a-first", url, world.target, world.vault, identity)
    add_remote(request, open_store(url), lambda _: True)
    (world.folder / "other").rename(world.folder / "gone")
    back_up_and_push([world.target], vault=world.vault, interval_hours=24.0)
    (backup,) = world.backups
    assert backup.state.is_verified
    (log,) = read_logs(machine.remote()).values()
    assert list(log.backups) == [backup.name]
    assert len(artifacts(client, machine)) == 1


def test_serving_pushes_what_was_before_where_the_backup_failed(
    world: Vault, machine: Machine
) -> None:
    back_up_and_push([world.target], vault=world.vault, interval_hours=24.0)
    fill(world.target, 2)
    with pytest.raises(AnomalyFound, match="observations: 2, usually 40"):
        back_up_and_push([world.target], vault=world.vault, interval_hours=24.0)
    (log,) = read_logs(machine.remote()).values()
    assert len(log.backups) == 1


def test_serving_without_a_remote_only_backs_up(world: Vault, client: SyncPrefectClient) -> None:
    back_up_and_push([world.target], vault=world.vault, interval_hours=24.0)
    assert len(world.backups) == 1
    named = [a.key for a in client.read_artifacts() if str(world.target) in (a.description or "")]
    assert named == ["backup-report"]


def test_a_damaged_list_of_remotes_costs_no_backup(world: Vault, machine: Machine) -> None:
    (machine.vault / "remotes.json").write_bytes(b"{")
    back_up_and_push([world.target], vault=world.vault, interval_hours=24.0)
    assert len(world.backups) == 1


def test_a_remote_that_is_gone_fails_the_run(machine: Machine) -> None:
    (machine.folder / "nas").rename(machine.folder / "gone")
    with pytest.raises(RemoteError, match="there is no such folder"):
        push_remote(target=machine.database, vault=machine.vault)


def test_the_deployment_has_all_parameters_and_no_secret_is_one() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    (deployment,) = (d for d in deployments if d["name"] == push_remote.name)
    assert deployment["entrypoint"] == f"pipelines/push_remote.py:{push_remote.fn.__name__}"
    parameters = signature(push_remote.fn).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    assert deployment["parameters"] == defaults
    assert not [p.name for p in parameters if any(word in p.name for word in NEVER)]
