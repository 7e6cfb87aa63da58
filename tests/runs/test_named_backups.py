"""What may be named as a backup: a database, a folder or an archive that has one, raw files too."""

import shutil
from pathlib import Path

import pytest

from neotoma_core.errors import BackupDamaged, BackupUnreadable, EnvironmentMismatch, UsageError
from neotoma_core.recovery.text import plan_text
from tests.conftest import FIXTURES, Recover, recover_into
from tests.support.backing_up import Vault
from tests.support.databases import count
from tests.support.named_backups import BOTH, FIRST, SECOND, raw_of, tar_with
from tests.support.raw import database, name_of, names_in, put


def test_neotomas_backup_without_a_manifest_recovers_with_its_raw_files(
    target: Path, neotomas: Path, run_recover: Recover
) -> None:
    report = run_recover(target, neotomas)
    assert count(target, "observations") == 1
    assert (raw_of(target), report.raw_files.missing) == (BOTH, ())
    assert report.backups[0].path == str(neotomas / "neotoma.prod.db")


def test_neotomas_backup_without_a_manifest_restores_with_its_raw_files(
    target: Path, neotomas: Path, tmp_path: Path
) -> None:
    report = Vault(tmp_path).restore(str(neotomas))
    assert count(target, "observations") == 1
    assert (report.raw_files_restored, report.raw_files_missing) == (2, 0)
    assert raw_of(target) == BOTH


@pytest.mark.parametrize("manifest", ["", "{", '{"version": "1.0"', "{}", "[]"])
def test_a_manifest_that_was_not_written_to_its_end_counts_as_none(
    manifest: str, target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    (neotomas / "manifest.json").write_text(manifest)
    run_recover(target, neotomas)
    assert raw_of(target) == BOTH
    target.unlink()
    shutil.rmtree(target.parent / "sources_prod")
    Vault(tmp_path).restore(str(neotomas))
    assert raw_of(target) == BOTH


def test_a_backup_that_has_only_the_database_says_what_it_lacks(
    target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    shutil.rmtree(neotomas / "sources")
    report = run_recover(target, neotomas)
    assert report.raw_files.missing == tuple(sorted(BOTH))
    line = "raw files  2 that the database names are in none of these copies; the report lists them"
    assert line in plan_text(report).splitlines()
    target.unlink()
    assert Vault(tmp_path).restore(str(neotomas)).raw_files_missing == 2


def test_the_bundled_backup_of_neotoma_recovers_as_it_is(
    target: Path, run_recover: Recover
) -> None:
    report = run_recover(target, FIXTURES / "neotoma_backup.tar.xz")
    assert count(target, "observations") == 84
    assert (len(raw_of(target)), report.raw_files.missing) == (84, ())


def test_of_several_databases_one_has_to_be_named(
    target: Path, neotomas: Path, tmp_path: Path, run_recover: Recover
) -> None:
    database(neotomas.parent / "older" / "neotoma.prod.db", FIRST)
    put(neotomas.parent / "older" / "sources_prod", FIRST)
    with pytest.raises(BackupUnreadable, match="2 databases are in it") as refused:
        run_recover(target, neotomas.parent)
    assert str(neotomas / "neotoma.prod.db") in str(refused.value)
    path = tar_with("gz")(neotomas.parent, tmp_path)
    with pytest.raises(BackupUnreadable) as refused:
        run_recover(target, path)
    older = f"{path}!backups/older/neotoma.prod.db"
    assert older in str(refused.value)
    run_recover(target, Path(older))
    assert raw_of(target) == {name_of(FIRST)}
    with pytest.raises(BackupUnreadable, match=r"x\.db is not in it, but these are"):
        run_recover(target, Path(f"{path}!x.db"))


def test_the_targets_environment_decides_between_two_databases(
    target: Path, neotomas: Path, run_recover: Recover
) -> None:
    database(neotomas / "neotoma.db", b"of the development database")
    put(neotomas / "sources", b"of the development database")
    run_recover(target, neotomas)
    assert raw_of(target) == BOTH


def test_a_folder_of_one_backup_folder_is_looked_into(
    target: Path, neotomas: Path, run_recover: Recover
) -> None:
    run_recover(target, neotomas.parent)
    assert raw_of(target) == BOTH


def test_what_holds_no_database_of_neotomas_is_refused(
    target: Path, tmp_path: Path, unpacked: Path, run_recover: Recover
) -> None:
    (tmp_path / "empty").mkdir()
    shutil.copy(unpacked / "Documents/photos.db", tmp_path / "empty")
    for backup in (tmp_path / "empty", tar_with("")(tmp_path / "empty", tmp_path)):
        with pytest.raises(BackupUnreadable, match="no Neotoma database is in it"):
            run_recover(target, backup)
        with pytest.raises(BackupUnreadable, match="no Neotoma database is in it"):
            Vault(tmp_path).restore(str(backup))
    assert not target.exists()


def test_a_folder_of_the_other_environment_is_refused_as_its_database_is(
    tmp_path: Path, neotomas: Path, run_recover: Recover
) -> None:
    for backup in (neotomas, tar_with("")(neotomas, tmp_path)):
        with pytest.raises(EnvironmentMismatch):
            run_recover(tmp_path / "neotoma.db", backup)
        with pytest.raises(EnvironmentMismatch):
            Vault(tmp_path).restore(str(backup), tmp_path / "neotoma.db")


def test_a_folder_that_holds_only_the_target_is_refused(
    target: Path, tmp_path: Path, run_recover: Recover
) -> None:
    database(target, FIRST)
    with pytest.raises(UsageError, match="its own backup"):
        run_recover(target, target.parent)
    with pytest.raises(UsageError, match="the target itself"):
        Vault(tmp_path).restore(str(target.parent))


@pytest.fixture
def world(tmp_path: Path, target: Path) -> Vault:
    database(target, FIRST, SECOND)
    put(target.parent / "sources_prod", FIRST)
    put(target.parent / "sources_prod", SECOND)
    world = Vault(tmp_path)
    world.back_up()
    return world


def test_a_backup_of_a_vault_is_a_backup_with_its_raw_files(
    world: Vault, run_recover: Recover
) -> None:
    fresh = world.folder / "elsewhere" / "neotoma.prod.db"
    fresh.parent.mkdir()
    report = recover_into(world.folder / "fresh vault")(fresh, world.place())
    assert report.backups[0].path == str(world.place())
    assert raw_of(fresh) == BOTH
    stored = world.place() / "database.db.zst"
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    with pytest.raises(BackupDamaged, match=r"database\.db\.zst: cannot be decompressed"):
        run_recover(world.folder / "x.prod.db", world.place())


def test_raw_files_that_no_copy_has_come_out_of_the_vault(
    world: Vault, run_recover: Recover
) -> None:
    backup = database(world.folder / "copies" / "neotoma.prod.db", FIRST, SECOND, b"lost")
    raw = world.target.parent / "sources_prod"
    (raw / name_of(FIRST)).unlink()
    put(raw, b"noise", name_of(SECOND))
    report = run_recover(world.target, backup)
    assert (report.raw_files.added, report.raw_files.repaired) == (1, (name_of(SECOND),))
    assert report.raw_files.missing == (name_of(b"lost"),)
    assert raw_of(world.target) == BOTH


def test_raw_files_go_where_neotoma_is_configured_to_keep_them(
    world: Vault, neotomas: Path
) -> None:
    raw = world.folder / "raw"
    report = world.restore(str(neotomas), raw_storage=raw)
    assert (report.raw_files_restored, report.raw_folder) == (2, str(raw))
    assert names_in(raw) == BOTH
