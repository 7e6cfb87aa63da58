"""Tables read part by part, and rows kept in buckets, in memory or on disk."""

import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.neotoma.cells import ODD
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.sqlite import buckets as buckets_module
from neotoma_core.sqlite import streaming as row_stream
from neotoma_core.sqlite.buckets import Buckets
from neotoma_core.sqlite.streaming import TableSize, measure_table, stream_rows, with_columns
from tests.support.databases import make_database, observation

READ = with_columns(BY_NAME["observations"], ("id", "entity_id", "source_priority", "fields"))
LONG = ("fields",)


def make_log(folder: Path, *fields: object) -> Path:
    rows = [observation(f"o{n}", f"e{n % 3}", fields=text) for n, text in enumerate(fields)]
    return make_database(folder / "log.db", {"observations": rows})


def read(path: Path) -> list[pl.DataFrame]:
    size = measure_table(path, READ, READ.names, LONG)
    return list(stream_rows(path, READ, READ.names, size, LONG))


def test_the_size_of_a_table_is_that_of_its_documents(tmp_path: Path) -> None:
    path = make_log(tmp_path, '{"a":1}', None, '{"ü":1}')
    assert measure_table(path, READ, READ.names, LONG) == TableSize(3, 15, 8, 0)


def test_an_empty_table_has_one_empty_part(tmp_path: Path) -> None:
    (part,) = read(make_log(tmp_path))
    assert part.is_empty()
    assert part.columns == [ROWID, *READ.names]


def test_a_table_comes_in_parts_that_hold_every_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_stream, "_PART_BYTES", 4_000)
    monkeypatch.setattr(row_stream, "_BATCH_ROWS", 10)
    texts = [f'{{"n":{n}}}' for n in range(200)]
    parts = read(make_log(tmp_path, *texts))
    assert len(parts) > 2
    rows = pl.concat(parts)
    assert sorted(rows["fields"]) == sorted(texts)
    assert rows[ROWID].n_unique() == 200


ODD_IDS = {
    "plain": "'plain'",
    "": "''",
    "of\0two": "'of' || char(0) || 'two'",
    "it's": "'it''s'",
    f"{ODD}X'00FF'": "x'00FF'",
    f"{ODD}CAST(X'FF' AS TEXT)": "CAST(x'FF' AS TEXT)",
    f"{ODD}CAST(X'EFB790' AS TEXT)": "CAST(x'EFB790' AS TEXT)",
}


def test_the_rows_wanted_are_those_that_hold_a_cell_whatever_it_is(tmp_path: Path) -> None:
    path = make_log(tmp_path, *["{}"] * (len(ODD_IDS) + 1))
    with closing(sqlite3.connect(path)) as connection:
        for number, literal in enumerate(ODD_IDS.values()):
            change = f"UPDATE observations SET entity_id = {literal} WHERE id = 'o{number}'"
            connection.execute(change)
        connection.commit()
    size = measure_table(path, READ, READ.names, ())
    for number, cell in enumerate(ODD_IDS):
        wanted = {"entity_id": {cell}, "id": {f"o{len(ODD_IDS)}"}}
        rows = pl.concat(stream_rows(path, READ, READ.names, size, (), wanted))
        assert sorted(rows["id"]) == sorted([f"o{number}", f"o{len(ODD_IDS)}"])
        assert cell in rows["entity_id"].to_list()
    nothing = stream_rows(path, READ, READ.names, size, (), {"id": set()})
    assert pl.concat(nothing).is_empty()


def test_long_rows_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    long = '{"a":"' + "x" * (9 << 20) + '"}'
    parts = read(make_log(tmp_path, "{}", *[long] * 8, "{}"))
    assert len(parts) >= 3
    assert sum(part.height for part in parts) == 10
    assert max(part["fields"].str.len_bytes().sum() for part in parts) < 64 << 20


def test_a_cell_of_another_type_is_spelled_whatever_part_it_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_stream, "_PART_BYTES", 500)
    monkeypatch.setattr(row_stream, "_BATCH_ROWS", 2)
    path = make_log(tmp_path, *["{}"] * 20)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE observations SET fields = x'ff' WHERE id = 'o3'")
        connection.execute("UPDATE observations SET source_priority = 'high' WHERE id = 'o17'")
        connection.execute("UPDATE observations SET entity_id = CAST(x'ff' AS TEXT) WHERE id='o9'")
    parts = read(path)
    rows = pl.concat(parts)
    cells = {row["id"]: row for row in rows.iter_rows(named=True)}
    assert cells["o17"]["source_priority"] == f"{ODD}'high'"
    assert cells["o3"]["fields"] == f"{ODD}X'FF'"
    assert cells["o9"]["entity_id"] == f"{ODD}CAST(X'FF' AS TEXT)"
    assert sum(ODD in str(cell) for row in cells.values() for cell in row.values()) == 3


SCHEMA = {"key": pl.String(), "n": pl.Int64()}


@pytest.mark.parametrize("held", [0, 1_000, 1 << 20], ids=["disk", "both", "memory"])
def test_rows_with_one_key_are_in_one_bucket_from_every_part(
    held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets_module, "_HELD_BYTES", held)
    buckets = Buckets(tmp_path / "rows", 4, SCHEMA)
    keys = [f"k{n % 9}" for n in range(90)]
    for start in (0, 30, 60):
        rows = pl.DataFrame({"n": range(30), "key": keys[start : start + 30], "other": 1})
        buckets.add(rows, pl.col("key").hash() % 4)
    read_back = [buckets.read(number) for number in range(4)]
    assert sum(rows.height for rows in read_back) == 90
    assert sorted(k for rows in read_back for k in rows["key"].unique()) == sorted(set(keys))
    assert all(rows.schema == pl.Schema(SCHEMA) for rows in read_back)


def test_an_absent_key_has_a_bucket_too(tmp_path: Path) -> None:
    buckets = Buckets(tmp_path / "rows", 3, SCHEMA)
    buckets.add(pl.DataFrame({"key": [None, "a"], "n": [1, 2]}), pl.col("key").hash() % 3)
    assert sum(buckets.read(number).height for number in range(3)) == 2


def test_a_removed_bucket_is_empty_and_gone_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets_module, "_HELD_BYTES", 0)
    buckets = Buckets(tmp_path / "rows", 1, SCHEMA)
    buckets.add(pl.DataFrame({"key": ["a"], "n": [1]}), pl.lit(0))
    assert buckets.read(0).rows() == [("a", 1)]
    assert list((tmp_path / "rows").iterdir()) != []
    buckets.remove(0)
    assert buckets.read(0).is_empty()
    assert list((tmp_path / "rows").iterdir()) == []
