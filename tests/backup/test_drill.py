"""A drill finds every change of a backup, and says no more than it has seen."""

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.backup.drills.drill import Drilling, DrillRules, drill_backup
from neotoma_core.backup.protection import protection_of
from neotoma_core.errors import UsageError
from neotoma_core.report.progress import Silent
from neotoma_core.vault.backups import list_backups, write_state
from tests.neotoma.test_encryption import SECRET
from tests.support.backing_up import HASH, Vault, copy_vault, fill, small_vault
from tests.support.databases import entity, make_database
from tests.support.rebuilding import rebuild
from tests.support.sealing import STATED, key_file, seal


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Vault:
    world = small_vault(tmp_path_factory.mktemp("template"))
    world.back_up()
    return world


@pytest.fixture
def world(template: Vault, tmp_path: Path) -> Vault:
    return copy_vault(template, tmp_path)


def files_of(world: Vault) -> list[Path]:
    folders = (world.vault / "backups", world.vault / "blobs")
    return sorted(p for folder in folders for p in folder.rglob("*") if p.is_file())


def flip(path: Path, place: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1 << (place % 8)
    path.write_bytes(raw)


def test_one_flipped_byte_anywhere_is_found(world: Vault) -> None:
    draw = random.Random(3)  # noqa: S311 - which bytes to flip
    files = {path: path.read_bytes() for path in files_of(world)}
    assert {path.name for path in files} == {
        "database.db.zst",
        "manifest.json",
        "raw_files.json.zst",
        "state.json",
        HASH,
    }
    for path, good in files.items():
        places = {0, len(good) - 1, *(draw.randrange(len(good)) for _ in range(5))}
        for place in sorted(places):
            flip(path, place)
            listing = list_backups(world.vault)
            found = not listing.is_complete
            if listing.backups:
                found |= world.verify().outcome == "fail"
            assert found, f"{path.name} at {place}"
            for kept, content in files.items():  # a drill writes its findings next to them
                kept.write_bytes(content)


def test_a_missing_file_is_found(world: Vault) -> None:
    (world.vault / "blobs" / HASH[:2] / HASH).unlink()
    report = world.verify()
    assert report.outcome == "fail"
    blob = world.vault / "blobs" / HASH[:2] / HASH
    assert report.drills[0].reasons == (f"1 of 1 raw files are missing or damaged: {blob}",)
    (world.place() / "database.db.zst").unlink()
    assert world.verify().drills[0].reasons == ("database.db.zst: missing",)


def test_a_backup_is_not_verified_before_its_drill(tmp_path: Path) -> None:
    world = small_vault(tmp_path)
    world.back_up(drill=False)
    assert not world.backups[0].state.is_verified
    assert protection_of(world.vault, world.now).good == 0
    assert world.verify("1").outcome == "pass"
    assert world.backups[0].state.is_verified


def test_a_failed_drill_takes_the_word_back(world: Vault) -> None:
    flip(world.place() / "database.db.zst", 99)
    assert world.verify().outcome == "fail"
    assert not world.backups[0].state.is_verified


def test_a_backup_of_which_nothing_is_known_any_longer_is_not_verified_and_stays(
    world: Vault,
) -> None:
    flip(world.place() / "state.json", 9)
    report = world.verify()
    assert report.drills[0].reasons == ("state.json: not what was written",)
    (backup,) = world.backups
    assert not backup.is_good
    assert backup.state.pinned is not None


def test_an_empty_database_is_not_verified_unless_expected(tmp_path: Path) -> None:
    world = Vault(tmp_path)
    make_database(world.target)
    report = world.back_up()
    assert report.drill is not None
    assert report.drill.outcome == "inconclusive"
    assert world.verify().outcome != "pass"
    assert world.verify(rules=DrillRules(expect_empty=True)).outcome == "pass"


def test_snapshots_that_drifted_are_counted_and_are_no_fault_of_the_backup(
    tmp_path: Path,
) -> None:
    world = small_vault(tmp_path)
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        connection.execute("DELETE FROM entity_snapshots")
    drill = world.back_up().drill
    assert drill is not None
    assert (drill.outcome, drill.level, drill.drifted) == ("pass", "recomputed", 40)


def test_a_foreign_key_that_led_nowhere_before_is_a_finding(tmp_path: Path) -> None:
    world = small_vault(tmp_path)
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        connection.execute(
            "INSERT INTO sandbox_sessions VALUES ('u', 'h', NULL, 'p', 'now', 'then', NULL)"
        )
    report = world.back_up()
    assert report.drill is not None
    assert (report.drill.outcome, report.drill.reasons) == ("pass", ())
    (finding,) = report.drill.findings
    assert "sandbox_sessions: 1 rows refer to no row of local_auth_users" in finding
    assert world.backups[0].is_good


def test_an_encrypted_database_without_its_key_is_inconclusive(tmp_path: Path) -> None:
    world = small_vault(tmp_path)
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        sealed = f"{'ab' * 16}:{'cd' * 16}:{'ef' * 8}"
        connection.execute("UPDATE observations SET fields = ?", (sealed,))
    drill = world.back_up().drill
    assert drill is not None
    assert (drill.outcome, drill.level) == ("inconclusive", "restored")


def test_an_encrypted_database_is_reduced_again_with_its_key_and_no_other(tmp_path: Path) -> None:
    world = Vault(tmp_path)
    make_database(world.target, {"entities": [entity("e1")], "observations": [seal("a", STATED)]})
    key = key_file(tmp_path, SECRET)
    rebuild(world.target, key=key)
    world.back_up(drill=False)
    (drill,) = world.verify(rules=DrillRules(key)).drills
    assert (drill.outcome, drill.level, drill.drifted) == ("pass", "recomputed", 0)
    (drill,) = world.verify(rules=DrillRules(key_file(tmp_path, bytes(32)))).drills
    assert (drill.outcome, drill.level) == ("inconclusive", "restored")
    assert drill.reasons == (
        "the key does not open all encrypted values: snapshots were not compared",
    )


def test_what_was_restored_goes_before_the_next_drill_begins(world: Vault, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (backup,) = world.backups
    drilling = Drilling(world.vault, work, DrillRules(), world.now, Silent())
    drill = drill_backup(drilling, backup)
    assert (drill.outcome, list(work.iterdir())) == ("pass", [])
    flip(world.place() / "database.db.zst", 99)
    drill = drill_backup(drilling, backup)
    assert (drill.outcome, list(work.iterdir())) == ("fail", [])


def test_nothing_to_verify_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no backup"):
        small_vault(tmp_path).verify()


def test_a_backup_whose_run_was_killed_before_it_looked_is_looked_at_by_verify(
    world: Vault,
) -> None:
    fill(world.target, 2)
    world.back_up()
    lost = world.backups[1]
    write_state(world.vault, lost.name, replace(lost.state, alarms=None))
    assert not world.backups[1].is_good
    world.verify("2")
    assert world.backups[1].state.is_after_loss
    assert world.backups[1].state.drop == 0.95
