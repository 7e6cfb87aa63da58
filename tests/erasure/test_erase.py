"""What is erased is gone, whatever is done afterwards, and nothing else is."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import (
    ErasureUnfinished,
    KeyMissing,
    TargetLocked,
    UsageError,
    VaultDamaged,
)
from neotoma_core.files.atomic import observed
from neotoma_core.files.keys import KeyFile
from neotoma_core.rebuild.as_of import Export, export_snapshots
from neotoma_core.rebuild.rebuild import check_snapshots, rebuild_snapshots
from neotoma_core.rebuild.report import RebuildReport
from neotoma_core.rebuild.request import RebuildRequest, reading_run, rebuild_run
from neotoma_core.report.progress import Silent
from neotoma_core.restore.restore import RestoreReport, restore_evidence
from neotoma_core.snapshots.explaining import UNKNOWN
from tests.conftest import NOW, recover_into
from tests.neotoma.test_encryption import KEY, SECRET
from tests.recovery.test_inputs import server_on
from tests.support.databases import (
    count,
    entity,
    insert,
    loosen,
    make_database,
    observation,
    read_all,
)
from tests.support.erasing import (
    ASKED,
    ENTITY,
    MARKS,
    OBSERVATION,
    OTHER_USER,
    PLANTED,
    World,
    build,
    found,
    found_in,
    gone_from,
    name_of,
    put,
    signs_of,
    stored,
    told,
)

AFTER = NOW + timedelta(days=2)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(tmp_path_factory.mktemp("template"))


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    shutil.copytree(template.folder, tmp_path, dirs_exist_ok=True)
    return World(tmp_path)


def recovered(world: World, **options: object) -> None:
    recover_into(world.vault)(world.target, world.backup, now=AFTER, **options)


def nothing(_: World) -> None:
    """Leave it at that."""


def twice(world: World) -> None:
    before = world.target.read_bytes()
    assert world.erase(again=True).outcome == "unchanged"
    assert world.target.read_bytes() == before


def keep_target(world: World) -> None:
    recovered(world)


def keep_source(world: World) -> None:
    world.execute(world.target, "UPDATE observations SET fields = '{}' WHERE id = 'obs-keep-1'")
    recovered(world, mode="keep-source")


def safe(world: World) -> None:
    recovered(world, mode="safe")


def keep_earliest(world: World) -> None:
    recovered(world, reingested="keep-earliest")


def into_a_fresh_target(world: World) -> None:
    world.target.unlink()
    shutil.rmtree(world.raw)
    recovered(world)
    assert count(world.target, "observations") > 3


def moved_in_the_backup(world: World) -> None:
    """The backup gave the observations to another entity before."""
    world.execute(
        world.backup,
        "UPDATE observations SET entity_id = 'ent-other', source_id = NULL, "
        "interpretation_id = NULL, user_id = NULL",
    )
    recovered(world)


def more_in_the_backup(world: World) -> None:
    """The backup knows more of what was erased than the target ever did."""
    mark, text = "gone-e gone-o gone-u", " ".join(PLANTED.values())
    raw = put(world.backup.parent / "sources", text)
    with closing(sqlite3.connect(world.backup, isolation_level=None)) as connection:
        for row in (
            entity(f"ent {mark}", merged_to_entity_id=ENTITY),
            entity(f"ent 2 {mark}", merged_to_entity_id=f"ent {mark}"),
        ):
            insert(connection, "entities", row)
        insert(connection, "sources", stored(f"src {mark}", text))
        insert(
            connection,
            "observations",
            observation(f"obs {mark}", f"ent 2 {mark}", source_id=f"src {mark}", fields=told(text)),
        )
        connection.execute(
            "INSERT INTO interpretations (id, source_id) VALUES (?, ?)",
            (f"int {mark}", f"src {mark}"),
        )
    recovered(world)
    gone = not any(ENTITY in str(row) for row in read_all(world.target)["entities"])
    assert (world.raw / raw).exists() is not gone


def restored_evidence(world: World, **options: object) -> RestoreReport:
    return restore_evidence(world.evidence, world.target, world.vault, AFTER, Silent(), **options)  # type: ignore[arg-type]  # a test's own keywords


def restored(world: World) -> None:
    report = restored_evidence(world)
    assert report.erased > 0
    assert count(world.target, "entities") >= 3


def restored_over_nothing(world: World) -> None:
    world.target.unlink()
    restored(world)


def request(world: World) -> RebuildRequest:
    return RebuildRequest(world.target, world.vault)


def rebuilt(world: World) -> RebuildReport:
    with rebuild_run(request(world), AFTER) as run:
        return rebuild_snapshots(run, lambda _: True, Silent())


def rebuilt_from_nothing(world: World) -> None:
    world.execute(
        world.target, "DELETE FROM entity_snapshots", "DELETE FROM relationship_snapshots"
    )
    rebuilt(world)
    assert count(world.target, "entity_snapshots") > 1


def exported(world: World) -> None:
    out = world.target.parent / "sources" / "as-of.parquet"  # where the search looks
    with reading_run(request(world), AFTER) as run:
        export_snapshots(run, Export(out, "2027-01-01"), Silent())
    assert pl.read_parquet(out).height > 1
    out.with_suffix(".json").write_text(pl.read_parquet(out).write_json())
    out.unlink()


def sent_again(world: World) -> None:
    """An agent, or a program that knows no ledger, writes the rows once more."""
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS old", (str(world.backup),))
        for table in ("sources", "entities", "observations", "raw_fragments", "entity_snapshots"):
            connection.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM old.{table}")
    shutil.copytree(world.backup.parent / "sources", world.raw, dirs_exist_ok=True)
    world.erase(again=True, now=AFTER)


def sent_again_and_rebuilt(world: World) -> None:
    """Before the rows are erased once more, no snapshot tells of them."""
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS old", (str(world.backup),))
        for table in ("sources", "entities", "observations", "relationship_observations"):
            connection.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM old.{table}")
        for table in ("entity_snapshots", "relationship_snapshots"):
            connection.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM old.{table}")
    report = rebuilt(world)
    assert {f.kind for f in report.findings} >= {"erased-in-target"}
    assert set(drifted_reasons(report)) == {UNKNOWN, "erased"}
    told = [what for what, mark in MARKS.items() if mark in snapshot_text(world)]
    assert told == []
    world.erase(again=True, now=AFTER)


def drifted_reasons(report: RebuildReport) -> list[str | None]:
    return [item.reason for item in report.drifted]


def snapshot_text(world: World) -> str:
    tables = read_all(world.target)
    return str(tables["entity_snapshots"]) + str(tables["relationship_snapshots"])


def a_server_wrote_since(world: World) -> None:
    """The old rows come in by a backup while the target has a log."""
    with server_on(world.target):
        recovered(world)


SEPARATELY = (nothing, keep_target, into_a_fresh_target, moved_in_the_backup, restored, rebuilt)
TOGETHER = (
    twice,
    keep_source,
    safe,
    keep_earliest,
    more_in_the_backup,
    restored_over_nothing,
    rebuilt_from_nothing,
    exported,
    sent_again,
    sent_again_and_rebuilt,
    a_server_wrote_since,
)
SCENARIOS = [(what, then) for then in SEPARATELY for what in MARKS]
SCENARIOS += [("all", then) for then in TOGETHER]


@pytest.mark.parametrize(("what", "then"), SCENARIOS, ids=lambda p: getattr(p, "__name__", p))
def test_nothing_erased_is_seen_again(
    what: str, then: Callable[[World], object], world: World
) -> None:
    assert all(found(world, sign) for sign in signs_of(what))
    report = world.erase(**ASKED[what])
    assert report.outcome == "erased"
    assert {check.name for check in report.checks} >= {"accounted", "gone", "intact"}
    then(world)
    assert found(world, *signs_of(what)) == []


def test_nothing_else_is_gone(world: World) -> None:
    before = read_all(world.target)
    report = world.erase(**ASKED["all"])
    after = read_all(world.target)
    kept = {
        name: [row for row in rows if not any(s.encode() in repr(row).encode() for s in signs)]
        for signs in (signs_of("all"),)
        for name, rows in before.items()
    }
    queues = ("substrate_events", "sqlite_sequence", "entity_snapshots")
    for name, rows in kept.items():
        if name not in queues:
            assert after[name] == rows, name
    # The snapshots of what lost an observation are those of the observations that are left.
    snapshots = {row[0]: row[4] for row in after["entity_snapshots"]}
    assert snapshots[b"ent-keep"] == b'{"title":"obs-keep-1"}'
    assert snapshots[b"ent-common"] == b'{"title":"obs-keep-4"}'
    assert (world.raw / name_of("same bytes")).exists()  # of two sources, one of which stays
    assert (world.raw / name_of("of two")).exists()
    assert report.erased_raw_files.removed == 3
    assert {f.kind for f in report.findings} == {"shared-source"}
    with reading_run(request(world), AFTER) as run:
        assert check_snapshots(run, Silent()).drifts == 0


def test_the_rows_of_each_table_are_those_that_facts_reach(world: World) -> None:
    assert gone_from(world.erase(dry_run=True, **ASKED["entity"])) == {
        "auto_enhancement_queue": 1,
        "entities": 3,
        "entity_embedding_rows": 1,
        "entity_merges": 3,
        "entity_snapshots": 2,
        "entity_splits": 1,
        "interpretations": 2,
        "observations": 3,
        "raw_fragments": 2,
        "relationship_observations": 2,
        "relationship_snapshots": 2,
        "source_entity_edges": 1,
        "source_event_edges": 1,
        "sources": 2,
        "substrate_events": 1,
        "timeline_events": 1,
    }


def test_a_dry_run_leaves_everything_and_says_what_holds_the_rows(world: World) -> None:
    before = world.target.read_bytes()
    report = world.erase(dry_run=True, **ASKED["all"])
    assert report.outcome == "planned"
    assert report.asked.merged == 2
    folders = [
        f for kind in ("evidence", "reports") for f in sorted((world.vault / kind).iterdir())
    ]
    telling = [f for f in folders if any(b"-gone-" in p.read_bytes() for p in files_in(f))]
    assert [evidence.folder for evidence in report.holding] == [str(f) for f in telling]
    assert world.target.read_bytes() == before
    assert not (world.vault / "erasures.jsonl").exists()
    assert found(world, *signs_of("entity"))


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_whoever_declines_keeps_everything(world: World) -> None:
    before = world.target.read_bytes()
    assert world.erase(lambda _: False, **ASKED["all"]).outcome == "planned"
    assert world.target.read_bytes() == before
    assert not (world.vault / "erasures.jsonl").exists()


def test_no_copy_of_the_target_outlives_an_erasure(world: World) -> None:
    before = set((world.vault / "evidence").rglob("*"))
    world.erase(**ASKED["entity"])
    assert set((world.vault / "evidence").rglob("*")) == before
    assert list((world.vault / "work").iterdir()) == []


def test_text_that_was_deleted_before_is_scrubbed_too(world: World) -> None:
    """Older versions of a snapshot lie in the free space of the file."""
    old = "planted-orchard-52 in an older snapshot " * 200
    world.execute(
        world.target,
        "PRAGMA secure_delete = OFF",
        f"UPDATE entity_snapshots SET snapshot = '{old}' WHERE entity_id = 'ent-keep'",
        "UPDATE entity_snapshots SET snapshot = '{}' WHERE entity_id = 'ent-keep'",
    )
    assert b"older snapshot" in world.target.read_bytes()
    world.erase(**ASKED["observation"])
    assert found_in(world.target, "older snapshot", *signs_of("observation")) == []


def test_a_log_that_a_killed_server_left_is_emptied(world: World) -> None:
    wal = world.target.with_name(world.target.name + "-wal")
    world.execute(world.target, "PRAGMA journal_mode = WAL")
    with closing(sqlite3.connect(world.target, isolation_level=None)) as connection:
        insert(
            connection,
            "observations",
            observation("obs-gone-e-log", ENTITY, fields=told(PLANTED["entity"])),
        )
        database, log = world.target.read_bytes(), wal.read_bytes()
    world.target.write_bytes(database)
    wal.write_bytes(log)
    assert PLANTED["entity"].encode() in wal.read_bytes()
    assert gone_from(world.erase(**ASKED["entity"]))["observations"] == 4
    assert found(world, *signs_of("entity")) == []
    assert not wal.exists() or wal.stat().st_size == 0


def test_a_target_that_a_server_holds_is_refused_before_anything_is_recorded(world: World) -> None:
    with server_on(world.target), pytest.raises(TargetLocked):
        world.erase(**ASKED["entity"])
    assert not (world.vault / "erasures.jsonl").exists()


def test_an_id_that_is_nowhere_is_named_or_recorded_all_the_same(world: World) -> None:
    with pytest.raises(UsageError, match="no entity ent-nowhere"):
        world.erase(entities=("ent-nowhere", ENTITY))
    with pytest.raises(UsageError, match="no observation obs-nowhere"):
        world.erase(observations=("obs-nowhere",))
    with pytest.raises(UsageError, match="no user nobody"):
        world.erase(users=("nobody",))
    report = world.erase(entities=("ent-late",), even_if_absent=True)
    assert (report.asked.absent, report.rows, report.recorded) == (1, 0, 1)
    late = make_database(
        world.folder / "late.db",
        {
            "entities": [entity("ent-late"), entity("ent-fine")],
            "observations": [observation("late", "ent-late"), observation("fine", "ent-fine")],
        },
    )
    recovery = recover_into(world.vault)(world.target, late, now=AFTER)
    assert found_in(world.target, "ent-late") == []
    assert found_in(world.target, "ent-fine")
    counts = {(c.table, c.skipped, c.inserted, *c.reasons) for c in recovery.tables if c.skipped}
    assert counts == {("entities", 1, 1, "erased"), ("observations", 1, 1, "erased")}


def test_a_row_is_erased_by_the_same_words_again(world: World) -> None:
    world.erase(**ASKED["entity"])
    before = read_all(world.target)
    report = world.erase(**ASKED["entity"])
    assert (report.outcome, report.recorded) == ("unchanged", 0)
    assert read_all(world.target) == before


def test_another_vault_does_not_know(world: World) -> None:
    world.erase(**ASKED["entity"])
    recover_into(world.folder / "other vault")(world.target, world.backup, now=AFTER)
    assert found(world, *signs_of("entity"))


def test_a_vault_says_what_came_back_by_other_ways(world: World) -> None:
    world.erase(**ASKED["entity"])
    recover_into(world.folder / "other vault")(world.target, world.backup, now=AFTER)
    report = recover_into(world.vault)(world.target, world.backup, now=AFTER, dry_run=True)
    said = {f.subject: f.detail for f in report.findings if f.kind == "erased-in-target"}
    assert said["observations"].startswith("3 rows ")
    world.erase(again=True)
    assert found(world, *signs_of("entity")) == []


def test_encrypted_columns_need_the_key_and_stay_encrypted(world: World) -> None:
    path = world.folder / "secret.key"
    path.write_text(SECRET.hex())
    for database in (world.target, world.backup):
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.create_function("sealed", 1, lambda cell: cell and KEY.seal(cell))
            for table, column in (
                ("observations", "fields"),
                ("entity_snapshots", "snapshot"),
                ("entity_snapshots", "provenance"),
                ("auto_enhancement_queue", "payload"),
            ):
                connection.execute(f"UPDATE {table} SET {column} = sealed({column})")
    with pytest.raises(KeyMissing):
        world.erase(**ASKED["all"])
    report = world.erase(**ASKED["all"], key=KeyFile(path))
    assert gone_from(report)["auto_enhancement_queue"] == 1
    assert found(world, *signs_of("all")) == []
    with closing(sqlite3.connect(world.target)) as connection:
        (snapshot,) = connection.execute(
            "SELECT snapshot FROM entity_snapshots WHERE entity_id = 'ent-keep'"
        ).fetchone()
    assert KEY.open(snapshot) == '{"title":"obs-keep-1"}'
    recover_into(world.vault)(world.target, world.backup, now=AFTER, key=KeyFile(path))
    restored_evidence(world, key=KeyFile(path))
    assert found(world, *signs_of("all")) == []


def test_tables_of_a_newer_neotoma_count_by_the_names_of_their_columns(world: World) -> None:
    world.execute(
        world.target,
        "CREATE TABLE summaries (id TEXT, entity_id TEXT, text TEXT)",
        f"INSERT INTO summaries VALUES ('s', '{ENTITY}', '{PLANTED['entity']}')",
        "INSERT INTO summaries VALUES ('t', 'ent-keep', 'kept')",
        "CREATE TABLE unnumbered (entity_id TEXT PRIMARY KEY) WITHOUT ROWID",
        "INSERT INTO unnumbered VALUES ('ent-keep')",
    )
    report = world.erase(**ASKED["entity"])
    assert gone_from(report)["summaries"] == 1
    assert found(world, *signs_of("entity")) == []
    assert [f.subject for f in report.findings if f.kind == "not-looked-into"] == ["unnumbered"]


def test_a_table_without_a_column_that_names_anything_is_no_hindrance(world: World) -> None:
    world.execute(
        world.target, "CREATE TABLE numbers (n INTEGER)", "INSERT INTO numbers VALUES (1)"
    )
    report = world.erase(**ASKED["entity"])
    assert report.outcome == "erased"
    assert count(world.target, "numbers") == 1
    assert [f for f in report.findings if f.kind == "not-looked-into"] == []


def test_a_database_of_an_old_version_loses_the_same_rows(world: World) -> None:
    world.execute(
        world.target,
        "DROP TABLE substrate_events",
        "DROP TABLE entity_splits",
        "ALTER TABLE raw_fragments DROP COLUMN entity_id",
        "ALTER TABLE entity_snapshots DROP COLUMN canonical_name",
    )
    world.erase(**ASKED["all"])
    assert found(world, *signs_of("all")) == []


def test_other_users_keep_what_they_said_of_an_erased_users_entity(world: World) -> None:
    world.execute(
        world.target,
        f"UPDATE entities SET user_id = '{OTHER_USER}' WHERE id = 'ent-common'",
    )
    shutil.copyfile(world.target, world.backup)
    report = world.erase(**ASKED["user"])
    assert [f.subject for f in report.findings if f.kind == "left-dangling"] == [
        "observations.entity_id"
    ]
    assert count(world.target, "observations") == 9
    world.target.unlink()
    recovered(world)
    assert found(world, *signs_of("user")) == []
    assert count(world.target, "observations") == 9


def test_an_erased_row_that_is_broken_is_counted_and_not_kept_in_quarantine(world: World) -> None:
    world.erase(**ASKED["entity"])
    for table in ("observations", "raw_fragments"):
        loosen(world.backup, table)
    world.execute(
        world.backup,
        "UPDATE observations SET schema_version = NULL WHERE id IN ('obs-gone-e-1', 'obs-keep-2')",
        "UPDATE raw_fragments SET fragment_key = NULL WHERE id = 'frg-gone-e-1'",
    )
    report = recover_into(world.vault)(world.target, world.backup, now=AFTER)
    assert {c.table: c.quarantined for c in report.tables if c.quarantined} == {
        "observations": 2,
        "raw_fragments": 1,
    }
    (kept,) = Path(report.quarantine or "").iterdir()
    assert pl.read_parquet(kept)["id"].to_list() == ["'obs-keep-2'"]
    assert found(world, *signs_of("entity")) == []


def test_a_file_that_cannot_be_scrubbed_is_said_to_be_and_is_later(world: World) -> None:
    with closing(sqlite3.connect(world.target, isolation_level=None)) as reader:

        def read(step: str) -> None:
            if step == "committed":
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM entities").fetchone()

        with observed(read), pytest.raises(ErasureUnfinished, match="the rows are erased"):
            world.erase(**ASKED["entity"])
        reader.execute("ROLLBACK")
    assert count(world.target, "observations") == 8
    assert world.erase(again=True).outcome == "erased"
    assert world.erase(again=True).outcome == "unchanged"
    assert found(world, *signs_of("entity")) == []


def test_a_damaged_ledger_stops_everything(world: World) -> None:
    world.erase(**ASKED["entity"])
    before = world.target.read_bytes()
    ledger = world.vault / "erasures.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"entities":["', b'"entities":["0', 1))
    for attempt in (recovered, restored, rebuilt, lambda w: w.erase(again=True)):
        with pytest.raises(VaultDamaged):
            attempt(world)
    assert world.target.read_bytes() == before


def test_an_observation_of_a_relationship_is_one_too(world: World) -> None:
    report = world.erase(observations=("rel-keep",))
    assert gone_from(report) == {"relationship_observations": 1}
    assert found_in(world.target, "rel-keep", "KNOWS:ent-keep:ent-other") == []


def test_an_entity_without_observations_is_told_of(world: World) -> None:
    report = world.erase(observations=("obs-keep-1", OBSERVATION))
    assert [f.kind for f in report.findings if f.kind == "emptied"] == ["emptied"]
    assert "ent-keep" not in str(read_all(world.target)["entity_snapshots"])


def test_erasing_one_that_was_merged_away_tells_of_the_survivor(world: World) -> None:
    world.execute(world.target, "DELETE FROM entity_merges")
    report = world.erase(entities=("ent-gone-e-2",))
    assert "merged-away" in {f.kind for f in report.findings}
