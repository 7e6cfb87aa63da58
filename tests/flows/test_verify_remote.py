"""The flow that verifies a remote: its artifact, what fails it, how it is deployed."""

import json
from inspect import signature
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import SyncPrefectClient

from neotoma_core.errors import RemoteDamaged
from pipelines.verify_remote import verify_remote
from tests.flows.test_push_remote import NEVER, ROOT
from tests.support.backing_up import small_vault
from tests.support.remotes import Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    world = small_vault(tmp_path)
    (world.folder / "nas").mkdir()
    made = Machine(world.folder, f"file://{world.folder}/nas", world.target)
    made.add()
    made.push()
    monkeypatch.setenv("MIDDEN_IDENTITY_FILE", str(world.folder / "there.identity"))
    return made


def outcomes(client: SyncPrefectClient, machine: Machine) -> list[str]:
    """Return how verifications of a database ended, oldest first."""
    found = [a for a in client.read_artifacts() if a.key == "verify-remote-report"]
    texts = [str(a.data) for a in sorted(found, key=lambda a: str(a.created))]
    reports = [json.loads(t.rpartition("```json\n")[2].partition("\n```")[0]) for t in texts]
    return [r["outcome"] for r in reports if r["target"] == str(machine.database)]


def test_a_remote_is_verified_and_reported(machine: Machine, client: SyncPrefectClient) -> None:
    verify_remote(target=machine.database, vault=machine.vault)
    assert outcomes(client, machine) == ["pass"]


def test_a_damaged_object_fails_the_run_and_is_reported(
    machine: Machine, client: SyncPrefectClient
) -> None:
    blob = next((machine.folder / "nas" / "blobs").glob("*/*"))
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(content)
    with pytest.raises(RemoteDamaged, match=blob.name):
        verify_remote(target=machine.database, vault=machine.vault)
    assert outcomes(client, machine) == ["fail"]


def test_the_deployment_has_all_parameters_and_no_secret_is_one() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    (deployment,) = (d for d in deployments if d["name"] == verify_remote.name)
    parameters = signature(verify_remote.fn).parameters.values()
    assert deployment["parameters"] == {
        p.name: p.default for p in parameters if p.default is not p.empty
    }
    assert not [p.name for p in parameters if any(word in p.name for word in NEVER)]
