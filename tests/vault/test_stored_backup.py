"""A backup of a vault as a database with its raw files, or not at all."""

from pathlib import Path

import pytest

from neotoma_core.errors import BackupDamaged
from neotoma_core.files.compressed import decompress_file
from neotoma_core.vault.stored_backup import is_vault_backup, unpack_vault_backup
from tests.support.backing_up import HASH, Vault, copy_vault, small_vault
from tests.support.databases import read_all


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault with one backup, of a database and a raw file."""
    world = small_vault(tmp_path_factory.mktemp("template"), 2)
    world.back_up(drill=False)
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


def folder_of(world: Vault) -> Path:
    (backup,) = world.backups
    assert (backup.manifest.raw_files.count, backup.manifest.raw_files.found) == (1, 1)
    return world.vault / "backups" / backup.name


def test_it_is_the_database_it_was_taken_of_with_its_raw_files(
    world: Vault, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    folder = folder_of(world)
    whole, environment = unpack_vault_backup(folder, scratch, decompress_file)
    assert (whole.name, environment) == (world.target.name, "production")
    assert read_all(whole) == read_all(world.target)
    assert (scratch / "sources_prod" / "u1" / HASH).read_bytes() == b"hello"
    assert is_vault_backup(folder)
    assert not is_vault_backup(scratch)


@pytest.mark.parametrize("name", ["manifest.json", "database.db.zst", "raw_files.json.zst"])
def test_a_byte_of_it_that_is_another_is_noticed(name: str, world: Vault, tmp_path: Path) -> None:
    folder = folder_of(world)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BackupDamaged):
        unpack_vault_backup(folder, tmp_path, decompress_file)
