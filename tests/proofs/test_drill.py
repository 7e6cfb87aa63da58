"""Each check of a drill finds the fault that no other can, and is named."""

import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from neotoma_core.backup.drill import DrillRules
from neotoma_core.backup.protection import protection_of, protection_text
from neotoma_core.backup.report import DrillSummary
from neotoma_core.errors import BackupDamaged
from neotoma_core.files.atomic import Subject, observed_with_subject
from neotoma_core.vault.backups import write_manifest
from neotoma_core.vault.manifests import Manifest
from tests.proofs.planting import FOREIGN_KEYS, UNUSABLE_KEY, lose_root, schema_writable
from tests.sources.test_carried import run as execute
from tests.support.backing_up import HASH, Vault, copied, small_vault
from tests.support.databases import count, insert_all
from tests.support.rebuilding import rebuild
from tests.unmerge.test_unmerge import edge

RESTORED = "copy_restored"


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
    return copied(template, tmp_path)


def drilled(world: Vault, rules: DrillRules | None = None) -> DrillSummary:
    (drill,) = world.verify(rules=rules).drills
    assert drill.drifted == 0 or drill.level == "recomputed"
    assert world.backups[0].state.is_verified == (drill.outcome == "pass")
    return drill


Plant = Callable[[sqlite3.Connection], None]


@contextmanager
def restored_with(plant: Plant) -> Iterator[None]:
    """Plant a fault in the copy that the drill inside the block restores."""
    times = 0

    def observe(step: str, subject: Subject) -> None:
        nonlocal times
        if step == RESTORED:
            assert isinstance(subject, Path)
            with closing(sqlite3.connect(subject, isolation_level=None)) as connection:
                plant(connection)
            times += 1

    with observed_with_subject(observe):
        yield
    assert times == 1


def statement(sql: str) -> Plant:
    """Return the fault of one statement, which changes something."""

    def plant(connection: sqlite3.Connection) -> None:
        assert connection.execute(sql).rowcount != 0

    return plant


def flipped(path: Path, place: int = 99) -> None:
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1
    path.write_bytes(raw)


STORED = ("database.db.zst", "raw_files.json.zst", "logs.tar.zst")


@pytest.mark.parametrize("name", STORED)
def test_a_stored_byte_that_changed(name: str, world: Vault) -> None:
    flipped(world.place() / name, -1)
    drill = drilled(world)
    assert (drill.outcome, drill.level) == ("fail", "none")
    assert drill.reasons[0].startswith(f"{name}: ")


@pytest.mark.parametrize("name", STORED)
def test_a_stored_byte_more(name: str, world: Vault) -> None:
    """What is in the file comes back as it was, and yet it is not the file that was stored."""
    stored = world.place() / name
    stored.write_bytes(stored.read_bytes() + b"x")
    assert drilled(world).reasons == (f"{name}: its bytes are not those that were stored",)


@pytest.mark.parametrize("name", STORED)
def test_a_stored_file_that_is_gone(name: str, world: Vault) -> None:
    (world.place() / name).unlink()
    assert drilled(world).reasons == (f"{name}: missing",)


def test_every_stored_file_is_among_those(world: Vault) -> None:
    sealed = {"manifest.json", "state.json"}  # which say of themselves whether they are whole
    assert {path.name for path in world.place().iterdir()} == {*STORED, *sealed}


def lacking_a_row(connection: sqlite3.Connection) -> None:
    """Let an index lack the rows that its table has: no page is damaged."""
    index = "CREATE INDEX planted ON observations (user_id)"
    with schema_writable(connection):
        connection.execute(f"{index} WHERE 0")
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'planted'", (index,))


def with_a_page_of_nobody(connection: sqlite3.Connection) -> None:
    """Let a page belong to nothing, as where the list of tables lost one."""
    connection.execute("CREATE TABLE lost (a)")
    with schema_writable(connection):
        connection.execute("DELETE FROM sqlite_schema WHERE name = 'lost'")


def with_a_damaged_page(connection: sqlite3.Connection) -> None:
    """Let an index begin on a page that is not one of an index."""
    connection.execute("CREATE INDEX planted ON observations (user_id)")
    lose_root(connection, "observations", "planted")


@pytest.mark.parametrize("damage", [lacking_a_row, with_a_damaged_page])
def test_an_index_that_is_not_sound(damage: Plant, world: Vault) -> None:
    with restored_with(damage):
        drill = drilled(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons[0].startswith("damaged: SQLite's integrity check found ")


WRONG_ROWS = {
    "another cell": (
        "observations",
        "UPDATE observations SET identity_rule = 'x' WHERE id = 'o0001'",
    ),
    "another class of cell": (
        "observations",
        "UPDATE observations SET user_id = CAST(user_id AS BLOB) WHERE id = 'o0001'",
    ),
    "a row less": ("entities", "DELETE FROM entities WHERE id = 'e0003'"),
    "a row more": ("sources", "INSERT INTO sources (id) VALUES ('s2')"),
    "a row in another's place": (
        "sources",
        "UPDATE sources SET id = 's2'",
    ),
    "a snapshot that is another": (
        "relationship_snapshots",
        "UPDATE relationship_snapshots SET is_live = 0",
    ),
    "a table more": ("planted", "CREATE TABLE planted (a)"),
    "a table less": ("overflow_events", "DROP TABLE overflow_events"),
}


@pytest.mark.parametrize(("table", "sql"), WRONG_ROWS.values(), ids=WRONG_ROWS)
def test_rows_that_came_back_otherwise(table: str, sql: str, world: Vault) -> None:
    with restored_with(statement(sql)):
        drill = drilled(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons == (f"{table}: other rows came back than were stored",)


def with_manifest(world: Vault, manifest: Manifest) -> None:
    """Put another manifest, whole in itself, in the place of the backup's."""
    write_manifest(world.place(), manifest, world.backups[0].state)


def test_counts_that_are_not_those_of_the_rows(world: Vault) -> None:
    manifest = world.backups[0].manifest
    with_manifest(world, replace(manifest, counts=replace(manifest.counts, nulls=0.5)))
    drill = drilled(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons == ("other counts came back than were stored",)


def test_content_that_is_not_that_of_the_manifest(world: Vault) -> None:
    manifest = world.backups[0].manifest
    with_manifest(world, replace(manifest, database=replace(manifest.database, plain_sha256="0")))
    drill = drilled(world)
    assert (drill.outcome, drill.level) == ("fail", "none")
    assert drill.reasons == ("database.db.zst: what it holds is not what was stored",)


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
    (row,) = faulty.listed().listed
    said = protection_text(protection_of(faulty.vault, faulty.now))
    assert row.standing == "good"
    for finding in WERE_SO:
        assert any(found.startswith(finding) for found in row.findings)
        assert finding in said


def test_it_comes_back_as_it_was(faulty: Vault, tmp_path: Path) -> None:
    world = copied(faulty, tmp_path)
    world.target.unlink()
    assert world.restore("latest").outcome == "restored"
    again = world.back_up()
    assert again.drill is not None
    assert again.drill.outcome == "pass"
    assert world.backups[1].manifest.faults == world.backups[0].manifest.faults
    assert count(world.target, "observations NOT INDEXED WHERE id <> ''") == 40


def test_one_that_is_new_fails_all_the_same(faulty: Vault, tmp_path: Path) -> None:
    world = copied(faulty, tmp_path)
    with restored_with(statement("INSERT INTO sandbox_sessions VALUES (1, 2, 3, 4, 5, 6, 7)")):
        drill = drilled(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons == ("sandbox_sessions: 1 rows refer to no row of local_auth_users",)


@pytest.mark.parametrize("plant", [None, with_a_page_of_nobody], ids=["sound", "damaged"])
def test_a_backup_of_which_nobody_knows_what_was_wrong_before(
    plant: Plant | None, faulty: Vault, tmp_path: Path
) -> None:
    """Its bytes, which are proven, are those that were stored; damaged pages are never good."""
    world = copied(faulty, tmp_path)
    with_manifest(world, replace(world.backups[0].manifest, faults=None))
    if plant is None:
        assert drilled(world).outcome == "pass"
    else:
        with restored_with(plant):
            assert drilled(world).outcome == "fail"


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


def test_something_else_that_has_the_name_of_a_table(tmp_path: Path) -> None:
    world = small_vault(tmp_path)
    execute(world.target, "DROP TABLE source_event_edges")
    world.back_up()
    with restored_with(statement("CREATE VIEW source_event_edges AS SELECT 1")):
        drill = drilled(world)
    assert (drill.outcome, drill.level) == ("fail", "checksums")
    assert drill.reasons == ("something else has the name of one of its tables",)


@pytest.mark.parametrize("damage", ["gone", "flipped"])
def test_a_raw_file_that_is_damaged_or_gone(damage: str, world: Vault) -> None:
    blob = world.vault / "blobs" / HASH[:2] / HASH
    if damage == "gone":
        blob.unlink()
    else:
        flipped(blob, 0)
    drill = drilled(world)
    assert (drill.outcome, drill.level) == ("fail", "restored")
    assert drill.reasons == ("1 of 1 raw files are missing or damaged",)


def test_a_state_that_is_not_what_was_written(world: Vault) -> None:
    flipped(world.place() / "state.json", 12)
    (drill,) = world.verify().drills
    assert drill.reasons == ("state.json: not what was written",)


DRIFT = {
    "a snapshot less": "DELETE FROM entity_snapshots WHERE entity_id = 'e0001'",
    "another snapshot": "UPDATE entity_snapshots SET snapshot = '{}' WHERE entity_id = 'e0001'",
    "a snapshot more": "INSERT INTO entity_snapshots (entity_id, entity_type, schema_version) "
    "VALUES ('nobody', 'note', '1.0')",
    "another edge": "UPDATE relationship_snapshots SET is_live = 0",
}


@pytest.mark.parametrize("sql", DRIFT.values(), ids=DRIFT)
def test_a_snapshot_that_is_not_what_the_log_says_is_counted(
    sql: str, template: Vault, tmp_path: Path
) -> None:
    world = copied(template, tmp_path)
    execute(world.target, sql)
    drill = world.back_up().drill
    assert drill is not None
    assert (drill.outcome, drill.level, drill.drifted) == ("pass", "recomputed", 1)


def test_a_fault_of_the_program_is_not_taken_for_a_hindrance(world: Vault) -> None:
    def broken(_: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), restored_with(broken):
        world.verify()


def test_one_restored_copy_is_there_at_a_time_and_its_owners_alone(world: Vault) -> None:
    world.back_up(drill=False)
    places: list[Path] = []

    def observe(step: str, subject: Subject) -> None:
        if step == RESTORED:
            assert isinstance(subject, Path)
            places.append(subject.parent)
            assert list(subject.parent.parent.glob("drill-*")) == [subject.parent]
            assert stat.S_IMODE(subject.parent.stat().st_mode) == 0o700

    with observed_with_subject(observe):
        assert world.verify().outcome == "pass"
    assert len(places) == 2
    assert not any(place.exists() for place in places)


def test_what_cannot_be_looked_at_is_not_said_to_be_damaged(world: Vault) -> None:
    good = world.backups[0].manifest
    for size in (1 << 50, shutil.disk_usage(world.folder).free * 3 // 4):
        large = replace(good.database, plain_size=size)
        with_manifest(world, replace(good, database=large))
        assert drilled(world).reasons == ("too little free space to restore it",)
    with_manifest(world, good)
    stored = world.place() / "database.db.zst"
    stored.unlink()
    stored.mkdir()
    drill = drilled(world)
    assert (drill.outcome, drill.level, drill.reasons) == (
        "inconclusive",
        "none",
        (f"{stored}: is a directory",),
    )
