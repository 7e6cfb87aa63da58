"""A database built bucket by bucket is the one that is built with all rows in memory."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.archive_tables.building import sources
from neotoma_core.archive_tables.building.rows import find_rows
from neotoma_core.archive_tables.database import Selection, Work, build_database
from neotoma_core.archive_tables.reading import table_files
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.archive_tables.verify import verify_archive
from neotoma_core.errors import VerificationFailed
from neotoma_core.report.progress import Silent
from neotoma_core.row_versions.columns import ROW_HASH
from neotoma_core.stages.parts import Part
from neotoma_core.stages.places import Folder
from neotoma_core.stages.runner import Threads
from tests.conftest import NOW
from tests.support.archiving import archive, log_of
from tests.support.databases import entity, insert, make_database, observation
from tests.support.losing import DAY, World
from tests.support.parts import path_of
from tests.support.whole_archives import hashes_of

Change = tuple[str, int, int]
CHANGES = st.tuples(
    st.sampled_from(["add", "add", "add", "twin", "odd", "move", "edit", "remove", "rename"]),
    st.integers(0, 7),
    st.integers(0, 2),
)
RUNS = st.lists(st.lists(CHANGES, max_size=8), min_size=1, max_size=4)
SELECTIONS = st.one_of(
    st.sampled_from([Selection(), Selection("everything")]),
    st.integers(-1, 4).map(lambda n: Selection(moment=NOW + n * DAY + timedelta(hours=1))),
)


@settings(max_examples=15, deadline=None)
@given(RUNS, SELECTIONS, st.sampled_from([1, 2, 8]), st.sampled_from([1, 3, 1000]))
def test_buckets_hold_what_the_whole_does(
    runs: Sequence[Sequence[Change]], selection: Selection, buckets: int, rows: int
) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "SOURCE_ROWS", rows)
        folder = Path(name)
        database = make_history(folder, runs)
        place = folder / "archive"
        expected = hashes_of(place, selection)
        assert found_rows(place, folder, selection, buckets) == expected
        built = folder / "built.db"
        build_database(open_archive(place), built, selection, Silent(), Work(buckets=buckets))
        if selection == Selection():
            assert log_of(built) == log_of(database)
        assert verify_archive(place, Silent()).outcome == "verified"


def make_history(folder: Path, runs: Sequence[Sequence[Change]]) -> Path:
    """Make a database, change it so many times, and archive it after each."""
    rows = {"entities": [entity(f"e{n}") for n in range(3)]}
    database = make_database(folder / "db.sqlite", rows)
    for day, changes in enumerate(runs):
        with closing(sqlite3.connect(database)) as connection, connection:
            for change in changes:
                apply(connection, change, created=(NOW + day * DAY).isoformat())
        archive(database, folder / "archive", now=NOW + day * DAY, same_database=True)
    return database


def apply(connection: sqlite3.Connection, change: Change, created: str) -> None:
    kind, number, value = change
    row = dict(observation(f"o{number}", f"e{value}", created_at=created))
    mine = f"WHERE id = 'o{number}'"
    match kind:
        case "add" if connection.execute(f"SELECT 1 FROM observations {mine}").fetchone() is None:
            insert(connection, "observations", row)
        case "twin":  # without a key, and the same as others in every cell
            insert(connection, "observations", {**row, "id": None, "created_at": "2026"})
        case "odd":
            insert(
                connection,
                "observations",
                {**row, "id": None, "fields": b"\xff", "source_priority": "x"},
            )
        case "move":
            connection.execute(f"UPDATE observations SET entity_id = 'e{value}' {mine}")
        case "edit":
            connection.execute(
                f"UPDATE entities SET canonical_name = 'n{number}' WHERE id = 'e{value}'"
            )
        case "remove":
            connection.execute(f"DELETE FROM observations {mine}")
        case "rename":
            connection.execute(f"DELETE FROM observations WHERE rowid = {number}")


def found_rows(
    place: Path, folder: Path, selection: Selection, buckets: int
) -> dict[str, list[str]]:
    with TemporaryDirectory(dir=folder) as parts:
        work = Work(buckets=buckets)
        found = find_rows(open_archive(place), Folder(Path(parts)), work, selection, Silent())
        assert not found.damaged
        return {
            name: [value for part in rows.parts() for value in part[ROW_HASH]]
            for name, rows in found.tables.items()
        }


def test_a_piece_of_a_damaged_file_is_left_out_with_the_rest_of_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "SOURCE_ROWS", 1)
    (file,) = {f.path: f for f in table_files(open_archive(world.place), "sources")}.values()
    file.path.write_bytes(file.path.read_bytes()[:-1] + b"x")
    built = build_database(
        open_archive(world.place), tmp_path / "b.db", Selection(damaged=True), Silent()
    )
    assert (built.rows["sources"], built.rows["observations"]) == (0, 3)
    assert [damaged.path for damaged in built.damaged] == [file.path]


class Losing:
    """Threads; of the first part of a stage that has rows, those of one destination are lost."""

    is_apart = False

    def __init__(self, stage: str) -> None:
        self.stage = stage

    def run(self, work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
        for part in Threads().run(work, tasks):
            if isinstance(part, Part) and part.name.startswith(self.stage):
                empty_batches(part)
            yield part


def empty_batches(part: Part) -> None:
    """Take the rows out of a part, and leave what it says of them."""
    with path_of(part).open("rb") as file, pa.ipc.open_file(file) as opened:
        schema, count = opened.schema, opened.num_record_batches
    with pa.ipc.new_file(str(path_of(part)), schema) as writer:
        for _ in range(count):
            writer.write_batch(pa.RecordBatch.from_pylist([], schema=schema))


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("split-observations", "observations: 3 versions were split and 0 read again"),
        ("resolve-observations", "observations: 3 rows are not as archived"),
    ],
)
def test_a_part_that_lost_rows_is_noticed(
    stage: str, said: str, world: World, tmp_path: Path
) -> None:
    work = Work(Losing(stage), buckets=2)
    with pytest.raises(VerificationFailed, match=said):
        build_database(open_archive(world.place), tmp_path / "b.db", Selection(), Silent(), work)
    assert not list(tmp_path.glob("midden-*"))  # the parts are gone


def test_a_row_that_is_not_what_was_archived_is_noticed(world: World, tmp_path: Path) -> None:
    class Changing(Losing):
        def run(self, work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
            for part in Threads().run(work, tasks):
                if part.name.startswith(self.stage):
                    change_cells(part)
                yield part

    with pytest.raises(VerificationFailed, match="observations: 3 rows are not as archived"):
        build_database(
            open_archive(world.place),
            tmp_path / "b.db",
            Selection(),
            Silent(),
            Work(Changing("resolve-observations")),
        )


def change_cells(part: Part) -> None:
    rows = part.batch(0).with_columns(fields=pl.lit("{}"))
    with path_of(part).open("rb") as file, pa.ipc.open_file(file) as opened:
        schema = opened.schema
    table = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
    with pa.ipc.new_file(str(path_of(part)), schema) as writer:
        for batch in table.cast(schema).replace_schema_metadata(schema.metadata).to_batches():
            writer.write_batch(batch)
