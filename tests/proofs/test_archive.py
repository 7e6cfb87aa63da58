"""What is made of an archive, and what an archive is rewritten as, is proven row by row."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.archive.compact import CompactRequest, compact_archive
from neotoma_core.archive_tables.as_backup import secure_archive
from neotoma_core.errors import BackupDamaged, VerificationFailed
from neotoma_core.files.atomic import Subject, observe_with_subject
from neotoma_core.report.progress import Silent
from tests.archive_tables.test_as_backup import restore
from tests.conftest import NOW
from tests.proofs.planting import files_of
from tests.support.archiving import archive
from tests.support.databases import entity, make_database, observation

FAULTS = {
    "another cell": (
        "UPDATE observations SET identity_rule = 'x' WHERE id = 'o1'",
        "observations: 1 rows are not as archived",
    ),
    "another class of cell": (
        "UPDATE observations SET fields = CAST(fields AS BLOB) WHERE id = 'o1'",
        "observations: 1 rows are not as archived",
    ),
    "a row less": (
        "DELETE FROM entities WHERE id = 'e1'",
        "entities: 1 rows are not as archived",
    ),
    "a row more": (
        "INSERT INTO entities (id, entity_type, canonical_name) VALUES ('x', 'note', 'x')",
        "entities: 1 rows were not archived",
    ),
    "a row of a table that had none": (
        "INSERT INTO sources (id) VALUES ('x')",
        "sources: 1 rows were not archived",
    ),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An archive of two runs."""
    for number in (1, 2):
        rows = {
            "entities": [entity("e1"), entity("e2")],
            "observations": [observation(f"o{n}") for n in range(number + 1)],
        }
        archive(make_database(tmp_path / f"run-{number}.db", rows), tmp_path / "archive")
    return tmp_path / "archive"


@contextmanager
def plant_while_building(statement: str) -> Iterator[None]:
    """Plant a fault in the database that is built from an archive inside the block."""
    times = 0

    def observe(step: str, subject: Subject) -> None:
        nonlocal times
        if step == "database_built":
            assert isinstance(subject, Path)
            with closing(sqlite3.connect(subject, isolation_level=None)) as connection:
                assert connection.execute(statement).rowcount == 1
            times += 1

    with observe_with_subject(observe):
        yield
    assert times == 1


@pytest.mark.parametrize(("statement", "says"), FAULTS.values(), ids=FAULTS)
def test_a_database_that_is_not_what_was_archived_takes_nobodys_place(
    statement: str, says: str, place: Path, tmp_path: Path
) -> None:
    target = make_database(tmp_path / "data" / "target.db", {"entities": [entity("mine")]})
    before = files_of(target)
    with plant_while_building(statement), pytest.raises(VerificationFailed) as caught:
        restore(place, target)
    assert caught.value.failed == (says,)
    assert files_of(target) == before


def test_a_database_that_is_not_what_was_archived_is_not_a_backup(
    place: Path, tmp_path: Path
) -> None:
    statement, says = FAULTS["another cell"]
    with plant_while_building(statement), pytest.raises(BackupDamaged, match=says):
        secure_archive(place, tmp_path / "built.db", Silent(), skip_unreadable=False)


REWRITTEN = {
    "another cell": pl.col("id").replace("o1", "x").alias("id"),
    "another cell that says when": pl.col("_archived_at").dt.offset_by("1s"),
}


@pytest.mark.parametrize("wrong", REWRITTEN.values(), ids=REWRITTEN)
def test_rows_that_are_not_the_same_are_never_committed(wrong: pl.Expr, place: Path) -> None:
    assert_not_compacted(place, lambda rows: rows.with_columns(wrong))


def test_a_row_less_is_never_committed(place: Path) -> None:
    assert_not_compacted(place, lambda rows: rows.head(-1))


def assert_not_compacted(place: Path, wrong: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Compact with a fault planted in each file written: it is refused, and none of it stays."""
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    planted = []

    def observe(step: str, subject: Subject) -> None:
        if step == "group_written" and "observations" in str(subject):
            assert isinstance(subject, Path)
            wrong(pl.read_parquet(subject)).write_parquet(subject)
            planted.append(subject)

    with (
        observe_with_subject(observe),
        pytest.raises(VerificationFailed, match="observations: compacted rows are not those"),
    ):
        compact_archive(CompactRequest(place), NOW, Silent())
    assert len(planted) == 1
    after = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert {p: b for p, b in after.items() if "observations" in str(p)} == {
        p: b for p, b in before.items() if "observations" in str(p)
    }
