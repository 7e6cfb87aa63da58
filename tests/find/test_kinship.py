"""Rows of another database never come in, or take its place, unasked."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.backup.request import BackupRequest
from neotoma_core.backup.take import back_up
from neotoma_core.errors import (
    ArchiveForeign,
    DatabaseMismatch,
    EnvironmentMismatch,
    MiddenError,
    OtherDatabase,
    UsageError,
)
from neotoma_core.recovery.recover import recover
from neotoma_core.recovery.run.named import recovery_run
from neotoma_core.recovery.run.request import RecoverRequest
from neotoma_core.report.progress import Silent
from neotoma_core.restore.from_archive import RestoreArchiveRequest, restore_archive
from neotoma_core.sqlite.inspection import Inspection, inspect_database
from tests.conftest import NOW
from tests.support.archiving import archive
from tests.support.backing_up import PERMISSIVE, Vault, small_vault
from tests.support.databases import Row, count, entity, make_database, observation, read_all
from tests.support.finding import recover_from

Door = Callable[..., object]
FEBRUARY, MARCH = "2026-02-01T00:00:00.000Z", "2026-03-05T00:00:00.000Z"


def rows(letter: str, number: int, made: str = FEBRUARY) -> dict[str, list[Row]]:
    return {
        "entities": [entity(f"e-{letter}", created_at=made)],
        "observations": [
            observation(f"{letter}{n:03}", f"e-{letter}", observed_at=made, created_at=made)
            for n in range(number)
        ],
    }


@pytest.fixture
def world(tmp_path: Path) -> Vault:
    """A vault with a backup of a database of 40 observations, at ``data/neotoma.prod.db``."""
    found = small_vault(tmp_path)
    found.back_up(drill=False)
    return found


def restore_number(world: Vault, target: Path, **means: bool) -> object:
    return world.restore("1", target, **means)


def restore_file(world: Vault, target: Path, **means: bool) -> object:
    copy = shutil.copy(world.target, world.folder / "loose.db")
    return world.restore(str(copy), target, **means)


def restore_evidence(world: Vault, target: Path, **means: bool) -> object:
    evidence = str(world.restore("1").undo).split()[2]
    return world.restore(evidence, target, **means)


def restore_from_archive(world: Vault, target: Path, **means: bool) -> object:
    archive(world.target, world.folder / "archive")
    place = world.folder / "archive"
    request = RestoreArchiveRequest(place, target, world.vault, guard=PERMISSIVE)
    request = replace(request, **means)  # type: ignore[arg-type]
    return restore_archive(request, NOW, lambda _: True, Silent())


def recover_named(world: Vault, target: Path, **means: bool) -> object:
    copy = Path(shutil.copy(world.target, world.folder / "loose.db"))
    request = replace(RecoverRequest(target, (copy,), world.vault), **means)  # type: ignore[arg-type]
    with recovery_run(request, NOW) as run:
        return recover(run, lambda _: True, Silent())


DOORS: dict[str, Door] = {
    "restore a backup": restore_number,
    "restore a file": restore_file,
    "restore evidence": restore_evidence,
    "restore from an archive": restore_from_archive,
    "recover": recover_named,
}


@pytest.mark.parametrize("door", DOORS)
def test_another_database_is_refused_and_its_rows_stay_unless_that_is_meant(
    door: str, world: Vault
) -> None:
    other = make_database(world.folder / "notes.db", rows("b", 40))
    before = other.read_bytes()
    with pytest.raises(DatabaseMismatch, match="--allow-environment-mismatch"):
        DOORS[door](world, other)
    assert other.read_bytes() == before
    DOORS[door](world, other, allow_environment_mismatch=True)
    assert b"o0001" in {row[0] for row in read_all(other)["observations"]}


@pytest.mark.parametrize("door", ["restore a file", "recover"])
@pytest.mark.parametrize("state", ["missing", "empty", "wiped", "from before", "grown since"])
def test_its_own_rows_come_back_whatever_became_of_it(state: str, door: str, world: Vault) -> None:
    target = world.folder / "moved.db"
    of_its_own = rows("o0", 0)
    states: dict[str, dict[str, list[Row]]] = {
        "empty": {},
        "wiped": rows("n", 12, MARCH),
        "from before": {"observations": [observation(f"o{n:04}", f"e{n:04}") for n in range(9)]},
        "grown since": {
            "observations": [
                *(observation(f"o{n:04}", f"e{n:04}") for n in range(3)),
                *rows("n", 60, MARCH)["observations"],
            ]
        },
    }
    if state != "missing":
        make_database(target, {**of_its_own, **states[state]})
    DOORS[door](world, target)
    assert count(target, "observations") >= 40


def test_the_way_back_from_another_database_is_open(world: Vault) -> None:
    before = world.target.read_bytes()
    other = make_database(world.folder / "notes.db", rows("b", 40))
    report = world.restore(str(other), allow_environment_mismatch=True)
    world.restore(str(report.undo).split()[2])
    assert world.target.read_bytes() == before


def test_a_backup_begun_anew_in_its_place_gives_way_to_the_one_before(world: Vault) -> None:
    world.target.unlink()
    make_database(world.target, rows("n", 60, MARCH))
    world.restore("1")
    assert count(world.target, "observations") == 40


@pytest.mark.parametrize("there", [True, False])
def test_of_a_target_that_is_gone_the_vault_knows_what_it_was(there: bool, world: Vault) -> None:  # noqa: FBT001 - of a table
    world.target.unlink()
    if there:
        make_database(world.target)
    other = make_database(world.folder / "notes.db", rows("b", 40))
    request = RecoverRequest(world.target, (other,), world.vault)
    with recovery_run(request, NOW) as run, pytest.raises(DatabaseMismatch, match="vault knows"):
        recover(run, lambda _: True, Silent())


@pytest.mark.parametrize("target", ["missing", "begun anew"])
def test_development_rows_are_known_whatever_their_file_is_called(
    target: str, tmp_path: Path
) -> None:
    make_database(tmp_path / "data" / "neotoma.db", rows("d", 40))
    stray = make_database(tmp_path / "notes.db", rows("d", 30))
    production = tmp_path / "data" / "neotoma.prod.db"
    if target == "begun anew":
        make_database(production, rows("n", 5, MARCH))
    request = RecoverRequest(production, (stray,), tmp_path / "vault")
    with recovery_run(request, NOW) as run, pytest.raises(EnvironmentMismatch, match="development"):
        recover(run, lambda _: True, Silent())


def test_however_many_copies_are_offered_each_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[Path] = Counter()
    inspect = inspect_database

    def count_and_inspect(connection: sqlite3.Connection, original: Path) -> Inspection:
        read[original] += 1
        return inspect(connection, original)

    neighbour = make_database(tmp_path / "data" / "neotoma.db", rows("d", 40))
    target = make_database(tmp_path / "data" / "neotoma.prod.db", rows("n", 5, MARCH))
    parts = [rows("a", 40), rows("b", 40), rows("c", 40)]
    offers = [make_database(tmp_path / f"{n}.db", part) for n, part in enumerate(parts)]
    monkeypatch.setattr(
        "neotoma_core.comparison.logs_in_common.inspect_database", count_and_inspect
    )
    request = RecoverRequest(target, tuple(offers), tmp_path / "vault")
    with recovery_run(request, NOW) as run:
        recover(run, lambda _: True, Silent())
    assert count(target, "observations") == 125
    assert read == dict.fromkeys((neighbour, target, *offers), 1)


def test_an_archive_of_development_is_refused_by_the_name_of_its_database(tmp_path: Path) -> None:
    development = make_database(tmp_path / "data" / "neotoma.db", rows("d", 40))
    place = tmp_path / "archive"
    archive(development, place)
    target = tmp_path / "elsewhere" / "neotoma.prod.db"
    target.parent.mkdir()
    request = RestoreArchiveRequest(place, target, tmp_path / "vault")
    with pytest.raises(EnvironmentMismatch):
        restore_archive(request, NOW, lambda _: True, Silent())
    with (
        pytest.raises(EnvironmentMismatch),
        recovery_run(RecoverRequest(target, (place,), tmp_path / "vault"), NOW),
    ):
        pass
    assert not target.exists()


def test_backups_that_are_strangers_to_each_other_do_not_become_one(tmp_path: Path) -> None:
    one = make_database(tmp_path / "one.db", rows("a", 40))
    other = make_database(tmp_path / "other.db", rows("b", 40))
    both = {name: [*rows("a", 9)[name], *rows("b", 9)[name]] for name in rows("a", 0)}
    bridge = make_database(tmp_path / "bridge.db", both)
    target = tmp_path / "target.db"
    request = RecoverRequest(target, (one, other), tmp_path / "vault")
    with recovery_run(request, NOW) as run, pytest.raises(DatabaseMismatch, match=r"one\.db"):
        recover(run, lambda _: True, Silent())
    with recovery_run(replace(request, backups=(one, other, bridge)), NOW) as run:
        recover(run, lambda _: True, Silent())
    assert count(target, "observations") == 80


@pytest.mark.parametrize("made", [FEBRUARY, MARCH])
def test_what_is_found_is_not_taken_for_a_database_that_holds_rows_of_its_own(
    made: str, tmp_path: Path
) -> None:
    make_database(tmp_path / "place" / "old.db", rows("a", 40))
    target = make_database(tmp_path / "target.db", rows("b", 40, made))
    with pytest.raises(UsageError, match="shares nothing with the target"):
        recover_from(target, tmp_path / "place")


def test_what_is_found_is_taken_for_one_that_was_just_begun_anew(tmp_path: Path) -> None:
    make_database(tmp_path / "place" / "old.db", rows("a", 40))
    target = make_database(tmp_path / "target.db", rows("b", 4, MARCH))
    recover_from(target, tmp_path / "place")
    assert count(target, "observations") == 44


def test_a_vault_and_an_archive_take_another_database_only_if_that_is_meant(world: Vault) -> None:
    other = make_database(world.folder / "notes.db", rows("b", 40))
    request = BackupRequest(other, world.vault, drill=False)
    with pytest.raises(OtherDatabase):
        back_up(request, NOW, Silent())
    back_up(replace(request, other_database=True), NOW, Silent())
    back_up(request, NOW, Silent())  # from now on it knows both
    place = world.folder / "archive"
    archive(world.target, place)
    with pytest.raises(ArchiveForeign):
        archive(other, place)
    archive(other, place, same_database=True)


def test_an_archive_is_no_ones_by_a_single_thing_told_to_both(tmp_path: Path) -> None:
    archive(make_database(tmp_path / "one.db", rows("a", 40)), tmp_path / "archive")
    told = [{**row, "created_at": MARCH} for row in rows("a", 1)["observations"]]
    tables = rows("b", 40)
    other = make_database(
        tmp_path / "other.db", {**tables, "observations": [*told, *tables["observations"]]}
    )
    with pytest.raises(ArchiveForeign):
        archive(other, tmp_path / "archive")


def test_a_vault_of_an_empty_database_is_told_from_another_by_its_name(tmp_path: Path) -> None:
    world = Vault(tmp_path)
    make_database(world.target)
    world.back_up(drill=False, expect_empty=True)
    development = make_database(tmp_path / "data" / "neotoma.db", rows("d", 40))
    with pytest.raises(MiddenError) as refused:
        world.back_up(drill=False, target=development)
    assert isinstance(refused.value, OtherDatabase)
    make_database(world.target.with_name("later.db"), rows("p", 40))
    world.back_up(drill=False, target=world.target.with_name("later.db"))
