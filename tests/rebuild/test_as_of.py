"""The log as it was: times compare as instants, and nothing but the file is written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.errors import UsageError
from tests.support.databases import entity, make_database, observation, read_all
from tests.support.rebuilding import export, rebuild

EARLY, LATE = "2026-02-01T10:00:00.000Z", "2026-02-02T10:00:00.000Z"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make_database(
        tmp_path / "log.db",
        {
            "entities": [entity("e1"), entity("e2")],
            "observations": [
                observation("a", "e1", observed_at=EARLY, created_at=EARLY),
                observation("b", "e1", observed_at=EARLY, created_at=LATE, fields='{"size":1}'),
                observation("c", "e1", observed_at=LATE, created_at=LATE),
                observation("d", "e2", observed_at=LATE, created_at=LATE),
            ],
        },
    )


def snapshots(out: Path) -> dict[str, tuple[str, int]]:
    rows = pl.read_parquet(out).select("entity_id", "snapshot", "observation_count").rows()
    return {entity_id: (snapshot, counted) for entity_id, snapshot, counted in rows}


@pytest.mark.parametrize(
    "time",
    [
        "2026-02-01T10:00:00Z",
        "2026-02-01T12:00:00+02:00",
        "2026-02-01T10:00:00.0009Z",
        "20260201T100000Z",
        "2026-02-02",
    ],
)
def test_observations_up_to_a_time_are_reduced(time: str, database: Path, tmp_path: Path) -> None:
    report = export(database, tmp_path / "out.parquet", time)
    assert snapshots(tmp_path / "out.parquet") == {"e1": ('{"title":"a","size":1}', 2)}
    assert report.cut_off is not None
    assert (report.cut_off.observations, report.cut_off.left_out) == (2, 2)


def test_a_millisecond_before_there_is_nothing(database: Path, tmp_path: Path) -> None:
    export(database, tmp_path / "out.parquet", "2026-02-01T09:59:59.999Z")
    assert snapshots(tmp_path / "out.parquet") == {}


def test_knowledge_leaves_out_what_was_stored_later(database: Path, tmp_path: Path) -> None:
    export(database, tmp_path / "out.parquet", LATE, EARLY)
    assert snapshots(tmp_path / "out.parquet") == {"e1": ('{"title":"a"}', 1)}


def test_stored_times_compare_as_instants(tmp_path: Path) -> None:
    path = make_database(
        tmp_path / "log.db",
        {
            "entities": [entity("e1")],
            "observations": [
                observation("a", observed_at="2026-02-01T23:30:00.000-02:00"),
                observation("b", observed_at="2026-02-02T01:00:00.000Z"),
                observation("c", observed_at="no time at all"),
            ],
        },
    )
    export(path, tmp_path / "out.parquet", "2026-02-02T01:15:00Z")
    assert snapshots(tmp_path / "out.parquet") == {"e1": ('{"title":"b"}', 1)}


def test_as_of_the_latest_time_equals_no_cut_off(incident: Path, tmp_path: Path) -> None:
    target = incident / "backups" / "neotoma.prod.db.db"
    before = read_all(target)
    with closing(sqlite3.connect(target)) as connection:
        (latest,) = connection.execute("SELECT max(observed_at) FROM observations").fetchone()
        stored = connection.execute("SELECT * FROM entity_snapshots ORDER BY entity_id").fetchall()
    export(target, tmp_path / "all.parquet")
    export(target, tmp_path / "latest.parquet", latest, latest)
    everything = pl.read_parquet(tmp_path / "all.parquet")
    assert everything.equals(pl.read_parquet(tmp_path / "latest.parquet"))
    assert everything.rows() == stored
    assert read_all(target) == before


def test_an_entity_counts_as_itself_until_it_was_merged(tmp_path: Path) -> None:
    merged = entity("e2", merged_to_entity_id="e1", merged_at=LATE)
    path = make_database(
        tmp_path / "log.db",
        {"entities": [entity("e1"), merged], "observations": [observation("a", "e2")]},
    )
    export(path, tmp_path / "before.parquet", EARLY)
    export(path, tmp_path / "after.parquet", LATE)
    assert set(snapshots(tmp_path / "before.parquet")) == {"e2"}
    assert set(snapshots(tmp_path / "after.parquet")) == set()


def test_what_is_no_time_is_refused(database: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--as-of noon: not a time"):
        export(database, tmp_path / "out.parquet", "noon")


def test_an_export_replaces_an_export_and_nothing_else(database: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    export(database, out)
    export(database, out, EARLY)
    assert set(snapshots(out)) == {"e1"}
    with pytest.raises(UsageError, match="something else"):
        export(database, database)
    with pytest.raises(UsageError, match="something else"):
        export(database, tmp_path)


def test_an_export_leaves_target_and_vault_as_they_were(database: Path, tmp_path: Path) -> None:
    rebuild(database)
    before = read_all(database)
    export(database, tmp_path / "out.parquet", EARLY)
    assert read_all(database) == before
    assert list((tmp_path / "vault" / "work").iterdir()) == []
