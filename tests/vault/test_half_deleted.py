"""A vault that lost its description: it is named, and what is in it can still be used."""

from pathlib import Path

import pytest

from neotoma_core.backup.protection import protection_of
from neotoma_core.errors import VaultDamaged
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.folder import open_vault
from tests.conftest import NOW, recover_into
from tests.support.backing_up import Vault, small_vault
from tests.support.databases import count, make_database


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    made = small_vault(tmp_path_factory.mktemp("half"), 4)
    made.back_up(drill=False)
    (made.vault / "vault.json").unlink()
    return made


def test_a_vault_without_its_description_is_neither_empty_nor_anothers(world: Vault) -> None:
    said = f"{world.vault}/vault.json: missing, .* like {world.place()}, .* with --vault"
    with pytest.raises(VaultDamaged, match=said):
        open_vault(world.vault, world.target)
    with pytest.raises(VaultDamaged, match=said):
        list_backups(world.vault)
    with pytest.raises(VaultDamaged, match=said):
        protection_of(world.vault, NOW)


def test_its_backups_can_be_recovered_from(world: Vault, tmp_path: Path) -> None:
    target = make_database(tmp_path / "data" / "neotoma.prod.db")
    recover_into(tmp_path / "vault")(target, world.place())
    assert count(target, "observations") == 4


def test_a_file_in_place_of_the_backups_is_not_a_matter_of_permission(tmp_path: Path) -> None:
    (tmp_path / "backups").touch()
    with pytest.raises(VaultDamaged, match="not a directory; restore it from a copy"):
        list_backups(tmp_path)
