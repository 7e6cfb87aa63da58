"""A drill counts for a backup of the very same bytes, taken a while later, and for nothing else."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from neotoma_core.backup.drills.besides import drill_beside
from neotoma_core.backup.drills.drill import Drilling, DrillRules
from neotoma_core.backup.report import BackupReport, DrillSummary
from neotoma_core.backup.text import backup_text
from neotoma_core.errors import OtherDatabase
from neotoma_core.files.atomic import observe, observe_with_subject
from neotoma_core.report.progress import Silent
from neotoma_core.vault.backups import write_manifest, write_state
from neotoma_core.vault.manifests import NO_STATE
from tests.support.backing_up import Vault, fill, small_vault


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    """A vault with one backup."""
    world = small_vault(tmp_path)
    world.back_up()
    return world


def drill_of(report: BackupReport) -> DrillSummary:
    assert report.drill is not None
    return report.drill


def test_it_counts_for_later_ones_and_is_as_old_as_it_is(world: Vault) -> None:
    first = world.backups[0]
    assert first.state.drill is not None
    for number in (1, 2):
        report = world.back_up()
        drill = drill_of(report)
        assert (drill.outcome, drill.level, drill.same_as) == ("pass", "recomputed", first.name)
        assert f"that of {first.name}, restored" in backup_text(report)
        later = world.backups[number]
        assert later.is_good
        assert later.state.verified_at == first.state.drill.at
        known, manifest = first.manifest, later.manifest
        assert manifest.fingerprints == known.fingerprints
        assert (manifest.counts, manifest.faults) == (known.counts, known.faults)
    assert world.verify("3").outcome == "pass"
    drilled = world.backups[2].state.drill
    assert drilled is not None
    assert (drilled.at, drilled.same_as) == (world.now, "")


def test_verifying_all_restores_what_they_share_once(world: Vault) -> None:
    world.back_up()
    fill(world.target, 41)
    world.back_up()
    restored: list[str] = []
    with observe(lambda step: restored.append(step) if step == "copy_restored" else None):
        report = world.verify()
    assert [one.outcome for one in report.drills] == ["pass"] * 3
    assert len(restored) == 2
    drills = [backup.state.drill for backup in world.backups]
    assert {drill.at for drill in drills if drill} == {world.now}


def forget_it(world: Vault) -> None:
    write_state(world.vault, world.backups[0].name, NO_STATE)


def let_it_fail(world: Vault) -> None:
    state = world.backups[0].state
    assert state.drill is not None
    ended = replace(state.drill, outcome="fail", reasons=("planted",))
    write_state(world.vault, world.backups[0].name, replace(state, drill=ended))


def cut_it_short(world: Vault) -> None:
    state = world.backups[0].state
    assert state.drill is not None
    ended = replace(state.drill, level="restored")
    write_state(world.vault, world.backups[0].name, replace(state, drill=ended))


def wait_a_week(world: Vault) -> None:
    world.now += timedelta(days=7)


def set_the_clock_back(world: Vault) -> None:
    world.now -= timedelta(hours=2)


def change_a_row(world: Vault) -> None:
    fill(world.target, 41)


def store_it_otherwise(world: Vault) -> None:
    first = world.backups[0]
    stored = replace(first.manifest.database, sha256="0" * 64)
    write_manifest(world.place(), replace(first.manifest, database=stored), first.state)


@pytest.mark.parametrize(
    "between",
    [
        store_it_otherwise,
        forget_it,
        let_it_fail,
        cut_it_short,
        wait_a_week,
        set_the_clock_back,
        change_a_row,
    ],
)
def test_the_database_is_restored_where_nothing_lately_proves_its_bytes(
    between: Callable[[Vault], None], world: Vault
) -> None:
    between(world)
    drill = drill_of(world.back_up())
    assert (drill.outcome, drill.level, drill.same_as) == ("pass", "recomputed", "")


def damage_database(place: Path) -> None:
    stored = place / "database.db.zst"
    content = stored.read_bytes()
    stored.unlink()  # the other backup shares it
    stored.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def damage_raw_file(place: Path) -> None:
    (blob,) = (one for one in (place.parents[1] / "blobs").rglob("*") if one.is_file())
    blob.chmod(0o600)
    blob.write_bytes(b"other")


def lose_list(place: Path) -> None:
    (place / "raw_files.json.zst").unlink()


@pytest.mark.parametrize("damage", [damage_database, damage_raw_file, lose_list])
def test_what_is_stored_is_checked_all_the_same(
    damage: Callable[[Path], None], world: Vault
) -> None:
    def plant(step: str) -> None:
        if step == "backup_installed":
            damage(world.place(2))

    with observe(plant):
        drill = drill_of(world.back_up())
    assert (drill.outcome, drill.same_as) == ("fail", "")
    assert drill.reasons
    assert not world.backups[1].is_good


def test_one_whose_state_was_lost_is_restored_itself(world: Vault) -> None:
    world.back_up()
    proven, other = world.backups
    drilling = Drilling(world.vault, world.folder, DrillRules(), world.now, Silent())
    assert drill_beside(drilling, other, [proven]).same_as == proven.name
    lost = drill_beside(drilling, replace(other, state_lost=True), [proven])
    assert lost.same_as == ""


def test_what_comes_back_is_compared_with_what_was_measured(tmp_path: Path) -> None:
    world = small_vault(tmp_path)

    def plant(step: str, restored: object) -> None:
        if step == "copy_restored":
            assert isinstance(restored, Path)
            with closing(sqlite3.connect(restored)) as connection, connection:
                connection.execute("DELETE FROM observations WHERE id = 'o0001'")

    with observe_with_subject(plant):
        drill = drill_of(world.back_up())
    assert drill.outcome == "fail"
    assert drill.reasons == (
        "observations: the rows that came back are not those that were stored",
    )


def test_the_same_bytes_of_another_environment_are_refused_as_ever(tmp_path: Path) -> None:
    world = small_vault(tmp_path, observations=0)
    assert drill_of(world.back_up(expect_empty=True)).outcome == "pass"
    other = world.folder / "data" / "neotoma.db"
    other.write_bytes(world.target.read_bytes())
    with pytest.raises(OtherDatabase):
        world.back_up(expect_empty=True, target=other)
