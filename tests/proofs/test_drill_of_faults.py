"""A drill of a backup whose source had faults already: they are named, and new ones fail."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.backup.protection import protection_of, protection_text
from neotoma_core.errors import BackupDamaged
from tests.proofs.planting import FOREIGN_KEYS, schema_writable
from tests.support.backing_up import Vault, copy_vault, small_vault
from tests.support.carrying import run as execute
from tests.support.databases import count
from tests.support.drilling import (
    Plant,
    drill_once,
    lacking_a_row,
    plant_while_restoring,
    statement,
    with_manifest,
)


def with_a_page_of_nobody(connection: sqlite3.Connection) -> None:
    """Let a page belong to nothing, as where the list of tables lost one."""
    connection.execute("CREATE TABLE lost (a)")
    with schema_writable(connection):
        connection.execute("DELETE FROM sqlite_schema WHERE name = 'lost'")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    """A vault with a backup of a database in which one thing of each kind was wrong before."""
    world = small_vault(tmp_path_factory.mktemp("faulty"))
    execute(world.target, *FOREIGN_KEYS)
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        lacking_a_row(connection)
        connection.execute("INSERT INTO sources (id) VALUES ('s2'), ('s3')")
        connection.execute("CREATE INDEX twice ON sources (id IS NULL)")
        with schema_writable(connection):
            connection.execute(
                "UPDATE sqlite_schema SET sql = replace(sql, 'INDEX', 'UNIQUE INDEX') "
                "WHERE name = 'twice'"
            )
    world.back_up()
    return world


WERE_SO = (
    "observations: 40 rows are missing from index planted, as in the database (`midden recover",
    "sources: 2 rows repeat a key of index twice, as in the database",
    "sandbox_sessions: 1 rows refer to no row of local_auth_users, as in the database",
)


def test_what_was_wrong_before_is_named_and_the_backup_is_good(faulty: Vault) -> None:
    (backup,) = faulty.backups
    assert (backup.is_good, backup.state.alarms) == (True, ())
    drill = backup.state.drill
    assert drill is not None
    assert (drill.outcome, drill.level, drill.reasons) == ("pass", "recomputed", ())
    (row,) = faulty.list_backups().listed
    said = protection_text(protection_of(faulty.vault, faulty.now))
    assert row.standing == "good"
    for finding in WERE_SO:
        assert any(found.startswith(finding) for found in row.findings)
        assert finding in said


def test_it_comes_back_as_it_was(faulty: Vault, tmp_path: Path) -> None:
    world = copy_vault(faulty, tmp_path)
    world.target.unlink()
    assert world.restore("latest").outcome == "restored"
    again = world.back_up()
    assert again.drill is not None
    assert again.drill.outcome == "pass"
    assert world.backups[1].manifest.faults == world.backups[0].manifest.faults
    assert count(world.target, "observations NOT INDEXED WHERE id <> ''") == 40


def test_one_that_is_new_fails_all_the_same(faulty: Vault, tmp_path: Path) -> None:
    world = copy_vault(faulty, tmp_path)
    with plant_while_restoring(
        statement("INSERT INTO sandbox_sessions VALUES (1, 2, 3, 4, 5, 6, 7)")
    ):
        drill = drill_once(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons == ("sandbox_sessions: 1 rows refer to no row of local_auth_users",)


@pytest.mark.parametrize("plant", [None, with_a_page_of_nobody], ids=["sound", "damaged"])
def test_a_backup_of_which_nobody_knows_what_was_wrong_before(
    plant: Plant | None, faulty: Vault, tmp_path: Path
) -> None:
    """Its bytes, which are proven, are those that were stored; damaged pages are never good."""
    world = copy_vault(faulty, tmp_path)
    with_manifest(world, replace(world.backups[0].manifest, faults=None))
    if plant is None:
        assert drill_once(world).outcome == "pass"
    else:
        with plant_while_restoring(plant):
            assert drill_once(world).outcome == "fail"


def test_damaged_pages_that_were_so_before_are_never_good(world: Vault) -> None:
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        with_a_page_of_nobody(connection)
    drill = world.back_up().drill
    assert drill is not None
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert "never used" in drill.reasons[0]
    assert "midden recover" in drill.findings[0]
    with pytest.raises(BackupDamaged):
        world.restore("latest")
