"""Composed recoveries: what is found together gives back all that can be read."""

import gzip
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.errors import UsageError
from neotoma_core.files.keys import KeyFile, read_key
from neotoma_core.recovery.report import RecoveryReport
from tests.conftest import FIXTURES, copy_databases
from tests.support.compared import differences
from tests.support.databases import Row, count, make_database, observation, read_all
from tests.support.finding import recover_from
from tests.support.proven import observe, owner, store
from tests.support.rebuilding import rebuild

# What only one database can have made: by this its copies know one another.
REGISTRY = {
    "id": "6f1c2a9e-8a5b-4c3d-9e0f-1a2b3c4d5e6f",
    "entity_type": "note",
    "schema_version": "1.0",
    "schema_definition": '{"fields":{"title":{"type":"string"}}}',
    "reducer_config": "{}",
    "active": 1,
    "scope": "global",
}


def database(path: Path, *observations: Row) -> Path:
    rows = {"observations": observations, "entities": [owner()], "schema_registry": [REGISTRY]}
    return make_database(path, rows)


def numbers(*wanted: int) -> list[Row]:
    return [observe(number) for number in wanted]


def ids(path: Path) -> set[object]:
    with closing(sqlite3.connect(path)) as connection:
        return {identifier for (identifier,) in connection.execute("SELECT id FROM observations")}


def damage(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)


def leaf_of_observations(path: Path) -> int:
    """Return a page that holds rows of the log, and nothing that leads to others."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'observations'"
        (root,) = connection.execute(query).fetchone()
    content = path.read_bytes()[(root - 1) * 4096 :]
    return int.from_bytes(content[8:12], "big") if content[0] == 5 else int(root)


@pytest.fixture(scope="module")
def composed(
    unpacked: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RecoveryReport]:
    folder = copy_databases(unpacked, tmp_path_factory.mktemp("composed"))
    return folder, recover_from(folder / "data" / "neotoma.prod.db", folder)


def test_the_incident_takes_the_two_copies_of_the_story_and_gives_back_all(
    composed: tuple[Path, RecoveryReport],
) -> None:
    folder, report = composed
    assert report.composition is not None
    used = [(Path(u.path).name, u.adds, u.loses) for u in report.composition.used]
    assert used == [("neotoma.prod.db.db", 6112, 3751), ("neotoma.prod 2.db", 100, 100)]
    assert (report.after.observations, report.after.entities) == (6296, 3951)
    target = folder / "data" / "neotoma.prod.db"
    assert count(target, "observations") == 6296
    for table in ("entity_snapshots", "relationship_snapshots"):
        assert differences(target, table, FIXTURES / "incident_expected" / f"{table}.parquet") == []


def test_every_other_copy_is_named_with_the_reason(
    composed: tuple[Path, RecoveryReport],
) -> None:
    folder, report = composed
    assert report.composition is not None
    reasons = {str(Path(u.path).relative_to(folder)): u.reason for u in report.composition.unused}
    assert len(reasons) == 9
    assert reasons["data/neotoma.db"] == "a development database; the target is production"
    assert reasons["Trash/neotoma.prod 3.db"] == "the file is empty"
    assert reasons["Downloads/neotoma.prod.db (1).db"].startswith("the same bytes as ")
    assert "salvaged" in reasons["Trash/neotoma.prod.db"]
    assert "data/neotoma.prod.db" not in reasons


def test_what_is_damaged_gives_back_what_is_on_its_undamaged_pages(
    unpacked: Path, tmp_path: Path
) -> None:
    target = tmp_path / "neotoma.prod.db"
    for name in ("neotoma.prod.db", "neotoma.prod.db.part"):
        (tmp_path / "Trash").mkdir(exist_ok=True)
        shutil.copy(unpacked / "Trash" / name, tmp_path / "Trash")
    report = recover_from(target, tmp_path / "Trash", vault=tmp_path / "vault")
    assert report.composition is not None
    assert [u.adds for u in report.composition.used] == [3453, 28]
    assert all(u.salvaged for u in report.composition.used)
    evidence = Path(report.evidence.folder)
    kept = evidence / "backup-1" / "damaged" / "neotoma.prod.db"
    assert kept.read_bytes() == (unpacked / "Trash" / "neotoma.prod.db").read_bytes()
    with gzip.open(unpacked / "Desktop" / "neotoma-20260301.db.gz") as packed:
        (tmp_path / "right.db").write_bytes(packed.read())
    assert set(read_all(tmp_path / "right.db")["observations"]) <= set(
        read_all(target)["observations"]
    )


def test_a_compressed_copy_takes_part_and_its_database_is_evidence(tmp_path: Path) -> None:
    plain = database(tmp_path / "plain.db", *numbers(1, 2, 3))
    place = tmp_path / "place"
    place.mkdir()
    (place / "old.gz").write_bytes(gzip.compress(plain.read_bytes()))
    target = database(tmp_path / "neotoma.prod.db", *numbers(1))
    report = recover_from(target, place)
    assert report.backups[0].path == str(place / "old.gz")
    assert count(target, "observations") == 3
    (kept,) = (Path(report.evidence.folder) / "backup-1").iterdir()
    assert kept.read_bytes() == plain.read_bytes()


def test_a_salvaged_row_never_wins_and_an_unproven_one_is_set_aside(tmp_path: Path) -> None:
    doubtful = observation("doubtful", "ent_000000000000000000000001")
    other = observe(2, observed_at="2020-01-01T00:00:00.000Z")
    rows = [observe(1), other, doubtful, *numbers(*range(100, 140))]
    broken = database(tmp_path / "place" / "broken.db", *rows)
    damage(broken, leaf_of_observations(broken))
    target = database(tmp_path / "neotoma.prod.db", observe(2), observe(3))
    report = recover_from(target, tmp_path / "place", mode="keep-source")
    merged = read_all(target)["observations"]
    assert set(read_all(database(tmp_path / "right.db", observe(2)))["observations"]) <= set(merged)
    assert observe(1)["id"] in ids(target)
    assert "doubtful" not in ids(target)
    assert report.quarantine is not None
    (kept,) = Path(report.quarantine).glob("*-observations.parquet")
    frame = pl.read_parquet(kept)
    assert frame["id"].to_list() == ["'doubtful'"]
    assert "hash" in frame["_reason"][0]


def test_development_and_strangers_are_shown_and_not_used(tmp_path: Path) -> None:
    place = tmp_path / "place"
    database(place / "neotoma.db", *numbers(1, 2))
    make_database(place / "theirs.db", {"observations": numbers(50), "entities": [owner()]})
    database(place / "mine.db", *numbers(1, 2, 3))
    target = database(place / "neotoma.prod.db", *numbers(1))
    report = recover_from(target, place)
    assert report.composition is not None
    assert [Path(u.path).name for u in report.composition.used] == ["mine.db"]
    assert {Path(u.path).name for u in report.composition.unused} == {"neotoma.db", "theirs.db"}
    assert count(target, "observations") == 3


def test_which_of_two_databases_an_empty_target_was_is_not_guessed(tmp_path: Path) -> None:
    place = tmp_path / "place"
    make_database(place / "a.db", {"observations": numbers(1)})
    make_database(place / "b.db", {"observations": numbers(2)})
    target = make_database(tmp_path / "neotoma.prod.db")
    with pytest.raises(UsageError, match="2 different databases"):
        recover_from(target, place)
    (place / "b.db").unlink()
    assert recover_from(target, place).after.observations == 1


def test_where_nothing_is_found_it_says_where_it_looked(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "text").write_text("x")
    target = database(tmp_path / "neotoma.prod.db", *numbers(1))
    vault = tmp_path / "vault"
    with pytest.raises(UsageError, match=r"place: no copy .* among 2 files"):
        recover_from(target, place, vault=vault)
    assert list((vault / "evidence").iterdir()) == []
    database(place / "a.db", *numbers(1))
    rebuild(target)
    assert recover_from(target, place).outcome == "unchanged"


SUBSETS = st.lists(
    st.tuples(st.sets(st.integers(0, 99), max_size=60), st.booleans()), min_size=1, max_size=5
)


@settings(max_examples=8, deadline=None)
@given(SUBSETS, st.sets(st.integers(0, 99), max_size=20))
def test_whatever_each_copy_holds_and_whichever_are_damaged_all_that_is_readable_comes_back(
    copies: list[tuple[set[int], bool]], held: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target = database(folder / "neotoma.prod.db", *numbers(*sorted(held)))
        readable = ids(target)
        for place, (wanted, damaged) in enumerate(copies):
            rows = [*numbers(*sorted(wanted)), *numbers(*(range(100, 130)) if damaged else ())]
            path = database(folder / "place" / f"{place}.db", *rows)
            if damaged:
                damage(path, leaf_of_observations(path))
            readable |= readable_ids(path, len(rows))
        if readable - ids(target):
            recover_from(target, folder / "place")
        assert ids(target) >= readable
        assert count(target, "observations") == len(readable)


def readable_ids(path: Path, rows: int) -> set[object]:
    """Return the observations that SQLite itself still reads, one by one."""
    found = set()
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        for number in range(1, rows + 1):
            query = "SELECT id, fields FROM observations NOT INDEXED WHERE rowid = ?"
            try:
                row = connection.execute(query, (number,)).fetchone()
            except sqlite3.DatabaseError:
                continue
            if row:
                found.add(row[0])
    return found


def test_nothing_is_changed_or_left_where_copies_were_found(tmp_path: Path) -> None:
    place = tmp_path / "place"
    path = database(place / "a.db", *numbers(1, 2))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    broken = database(place / "b.db", *numbers(*range(40)))
    damage(broken, leaf_of_observations(broken))
    make_database(place / "c.db", {"sources": [store(1)], "schema_registry": [REGISTRY]})
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in place.iterdir()}
    recover_from(database(tmp_path / "neotoma.prod.db"), place)
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in place.iterdir()} == before


def test_sealed_rows_of_a_damaged_copy_are_proven_with_the_key(tmp_path: Path) -> None:
    secret = bytes(range(32))
    (tmp_path / "key").write_text(secret.hex())
    key = KeyFile(tmp_path / "key")
    seal = read_key(key).seal
    plain = numbers(*range(60))
    rows = [{**row, "fields": seal(str(row["fields"]))} for row in plain]
    broken = database(tmp_path / "place" / "broken.db", *rows)
    damage(broken, leaf_of_observations(broken))
    target = database(tmp_path / "neotoma.prod.db", *numbers(100))
    report = recover_from(target, tmp_path / "place", key=key)
    readable = readable_ids(broken, len(rows))
    assert len(readable) > 20
    assert readable <= ids(target)
    assert report.quarantine is None
