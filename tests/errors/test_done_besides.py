"""What a failed output says was done, where the target is as it was and something else is not."""

from pathlib import Path

import pytest

from neotoma_core.errors import OutputFailed, begin_record
from neotoma_core.vault.backups import set_aside
from tests.support.archiving import archive
from tests.support.backing_up import Vault, small_vault


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    return small_vault(tmp_path_factory.mktemp("besides"), 2)


def words() -> str:
    return str(OutputFailed("no space left on device"))


def test_it_names_the_backups_and_rows_that_stay(world: Vault, tmp_path: Path) -> None:
    begin_record(world.target, world.vault)
    assert "; nothing was changed; " in words()
    world.back_up(drill=False)
    assert "; nothing was changed, except for the backup that was taken; " in words()
    begin_record(world.target, world.vault)
    set_aside(world.vault, world.place().name, tmp_path / "aside")
    assert "except for the backups that were removed; " in words()
    archive(world.target, tmp_path / "archive")
    assert "except for the rows that were appended to the archive; " in words()
    begin_record()
