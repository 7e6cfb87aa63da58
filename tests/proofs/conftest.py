"""A world with a backup to drill."""

import shutil
from pathlib import Path

import pytest

from tests.proofs.planting import (
    UNUSABLE_KEY,
)
from tests.proofs.two_logs import make_two_logs
from tests.support.backing_up import Vault, copy_vault, small_vault
from tests.support.carrying import run as execute
from tests.support.databases import insert_all
from tests.support.rebuilding import rebuild
from tests.unmerge.test_unmerge import edge


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault with one backup: of all snapshots, a raw file and a log of the server."""
    world = small_vault(tmp_path_factory.mktemp("template"))
    insert_all(world.target, {"relationship_observations": [edge("r1", "e0001", "e0002")]})
    execute(world.target, *UNUSABLE_KEY)
    rebuild(world.target)
    logs = world.folder / "data" / "logs_prod"
    logs.mkdir()
    (logs / "events.log").write_text("begun")
    drill = world.back_up(logs=True).drill
    assert drill is not None
    assert (drill.outcome, drill.level, drill.drifted) == ("pass", "recomputed", 0)
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


@pytest.fixture(scope="session")
def two_logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two-logs")
    make_two_logs(folder)
    return folder


@pytest.fixture
def target(two_logs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(two_logs / "data", tmp_path / "data")) / "target.db"


@pytest.fixture
def backup(two_logs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(two_logs / "backup.db", tmp_path))
