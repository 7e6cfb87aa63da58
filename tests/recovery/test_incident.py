"""The incident: what the whole recovery must give, as Neotoma itself computed it."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.neotoma.tables import Table
from neotoma_core.neotoma.versions import SETTLED, tables_at
from neotoma_core.recovery.report import RecoveryReport
from tests.conftest import FIXTURES, Recover, copy_databases, recover_into
from tests.support.compared import differences, with_types
from tests.support.databases import count, read_all

TARGET = "data/neotoma.prod.db"
BACKUPS = ("backups/neotoma.prod.db.db", "backups/neotoma.prod 2.db")
PER_TABLE = ("read", "inserted", "identical", "conflict", "reingested")


@dataclass(frozen=True)
class Recovered:
    """The incident after its recovery, which the tests below only look at."""

    folder: Path
    report: RecoveryReport

    @property
    def target(self) -> Path:
        return self.folder / TARGET


@pytest.fixture(scope="module")
def recovered(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Recovered:
    place = tmp_path_factory.mktemp("recovered")
    folder = copy_databases(unpacked, place)
    run = recover_into(place / "vault")
    return Recovered(folder, run(folder / TARGET, *(folder / backup for backup in BACKUPS)))


def test_the_two_copies_of_the_story_give_back_what_it_says(
    recovered: Recovered,
) -> None:
    after = recovered.report.after
    assert recovered.report.outcome == "published"
    assert (after.observations, after.entities) == (6296, 3951)
    assert (after.entity_snapshots, after.relationship_snapshots) == (3939, 400)
    assert (after.first or "")[:10] == "2026-02-09"
    assert (after.last or "")[:10] == "2026-03-11"
    for name in ("observations", "entities", "entity_snapshots", "relationship_snapshots"):
        assert count(recovered.target, name) == getattr(after, name)


@pytest.mark.parametrize("table", ["entity_snapshots", "relationship_snapshots"])
def test_every_snapshot_is_the_one_neotoma_computed(table: str, recovered: Recovered) -> None:
    expected = FIXTURES / "incident_expected" / f"{table}.parquet"
    assert differences(recovered.target, table, expected) == []


def test_three_relationships_are_not_live(recovered: Recovered) -> None:
    with closing(sqlite3.connect(recovered.target)) as connection:
        live = connection.execute("SELECT is_live, count(*) FROM relationship_snapshots GROUP BY 1")
        assert dict(live.fetchall()) == {0: 3, 1: 397}


@pytest.mark.parametrize("table", ["observations", "entities"])
def test_log_rows_are_the_ones_neotoma_keeps(table: str, recovered: Recovered) -> None:
    expected = pl.read_parquet(FIXTURES / "incident_expected" / f"{table}.parquet")
    with closing(sqlite3.connect(recovered.target)) as connection:
        names = ", ".join(expected.columns)
        rows = connection.execute(f"SELECT {names} FROM {table}").fetchall()
    assert sorted(rows, key=repr) == sorted(expected.rows(), key=repr)


@pytest.mark.parametrize(
    "table", [t for t in tables_at(SETTLED) if t.merged], ids=lambda table: table.name
)
def test_every_merged_table_is_the_union_of_its_inputs_cell_for_cell(
    table: Table, unpacked: Path, recovered: Recovered
) -> None:
    union: dict[tuple[object, ...], list[object]] = {}
    for database in (TARGET, *BACKUPS):
        for key, cells in _read_typed_rows(unpacked / database, table):
            union.setdefault(key, cells)
    assert dict(_read_typed_rows(recovered.target, table)) == union


def _read_typed_rows(path: Path, table: Table) -> list[tuple[tuple[object, ...], list[object]]]:
    key = ", ".join(table.identity)
    cells = ", ".join(f"typeof({name}), {name}" for name in table.names)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute(f"SELECT {key}, {cells} FROM {table.name}").fetchall()
    width = len(table.identity)
    return [(row[:width], list(row[width:])) for row in rows]


def test_the_plan_says_what_each_backup_holds_and_adds(recovered: Recovered) -> None:
    observations = [c for c in recovered.report.tables if c.table == "observations"]
    assert [backup.adds for backup in recovered.report.backups] == [6112, 100]
    assert [[getattr(c, name) for name in PER_TABLE] for c in observations] == [
        [6174, 6112, 0, 0, 62],
        [2522, 100, 2361, 0, 61],
    ]


def test_the_registry_is_merged_by_what_it_describes(recovered: Recovered) -> None:
    assert count(recovered.target, "schema_registry") == 7


def test_observations_sent_again_are_told_apart(recovered: Recovered) -> None:
    assert recovered.report.reingested.observations == 62
    assert recovered.report.reingested.entities_differ == 35


def test_keep_earliest_changes_the_entities_the_plan_announced(
    incident: Path, run_recover: Recover
) -> None:
    backups = [incident / backup for backup in BACKUPS]
    other = incident / "data" / "neotoma.prod-2.db"
    other.write_bytes((incident / TARGET).read_bytes())
    announced = run_recover(incident / TARGET, *backups).reingested.entities_differ
    run_recover(other, *backups, reingested="keep-earliest")
    states = [
        {entity: with_types(json.loads(snapshot)) for entity, snapshot in _snapshots(path)}
        for path in (incident / TARGET, other)
    ]
    changed = [key for key in states[0] if states[0][key] != states[1][key]]
    assert len(changed) == announced


def _snapshots(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT entity_id, snapshot FROM entity_snapshots").fetchall()


def test_a_dry_run_leaves_the_target_alone_and_predicts_the_real_one(
    incident: Path, run_recover: Recover
) -> None:
    target = incident / TARGET
    backups = [incident / backup for backup in BACKUPS]
    before = (target.read_bytes(), target.stat().st_mtime_ns, sorted(target.parent.iterdir()))
    dry = run_recover(target, *backups, dry_run=True)
    assert (
        target.read_bytes(),
        target.stat().st_mtime_ns,
        sorted(target.parent.iterdir()),
    ) == before
    real = run_recover(target, *backups)
    assert (dry.tables, dry.after, dry.derived) == (real.tables, real.after, real.derived)


def test_a_second_run_changes_nothing_and_says_so(incident: Path, run_recover: Recover) -> None:
    backups = [incident / backup for backup in BACKUPS]
    run_recover(incident / TARGET, *backups)
    before = read_all(incident / TARGET)
    content = (incident / TARGET).read_bytes()
    again = run_recover(incident / TARGET, *backups)
    assert again.outcome == "unchanged"
    assert sum(counts.inserted for counts in again.tables) == 0
    assert (incident / TARGET).read_bytes() == content
    assert read_all(incident / TARGET) == before


def test_a_target_that_does_not_exist_is_created(incident: Path, run_recover: Recover) -> None:
    target = incident / "data" / "neotoma.prod.new.db"
    report = run_recover(target, *(incident / backup for backup in BACKUPS))
    assert not report.target_existed
    assert (report.after.observations, report.after.entities) == (6274, 3942)
    assert count(target, "observations") == 6274
    assert [path.name for path in target.parent.glob(".*")] == []
