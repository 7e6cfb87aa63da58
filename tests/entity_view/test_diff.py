"""Two databases compared: what is gone, new and changed, entity by entity of each user."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from neotoma_core.entity_view.diff_text import diff_text, people, summary
from tests.support.archiving import archive
from tests.support.databases import USER, entity, insert_all, make_database, observation
from tests.support.merging_entities import merge_entities
from tests.support.viewing import diff, edge

LATER = "2026-03-01T00:00:00.000Z"


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A database and a copy of it."""
    one = make_database(
        tmp_path / "one.db",
        {
            "entities": [entity(f"e{number}") for number in range(4)],
            "observations": [
                observation(f"o{number}", f"e{number}", fields=f'{{"title":"t{number}","a":1}}')
                for number in range(4)
            ],
            "relationship_observations": [edge("r1", "e1", "e2")],
        },
    )
    other = tmp_path / "other.db"
    shutil.copyfile(one, other)
    return one, other


def run(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_copy_differs_in_nothing_also_where_fields_come_in_another_order(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    run(pair[1], """UPDATE observations SET fields = '{"a":1,"title":"t1"}' WHERE id = 'o1'""")
    report = diff(*pair, tmp_path)
    assert report.entities == ()
    assert [(t.entity_type, t.unchanged) for t in report.types] == [("note", 4)]
    assert summary(report).startswith("no difference")


def test_what_is_gone_new_and_changed_is_counted_and_told_field_by_field(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    one, other = pair
    run(other, "DELETE FROM observations WHERE id = 'o0'")
    run(other, """UPDATE observations SET fields = '{"title":"x","b":2}' WHERE id = 'o1'""")
    run(other, "DELETE FROM relationship_observations")
    insert_all(other, {"observations": [observation("o9", "e9")]})
    report = diff(one, other, tmp_path, values=True)
    assert summary(report) == "1 note gone, 1 changed, 1 new; relationships: 1 gone"
    assert [(e.kind, e.entity) for e in report.entities] == [
        ("changed", "e1"),
        ("gone", "e0"),
        ("new", "e9"),
    ]
    assert [(f.field, f.kind, f.before, f.after) for f in report.entities[0].fields] == [
        ("a", "gone", "1", None),
        ("b", "new", None, "2"),
        ("title", "changed", '"t1"', '"x"'),
    ]
    assert [(e.relationship, e.gone, e.new) for e in report.edges] == [("KNOWS", 1, 0)]


def test_values_are_told_only_where_they_are_asked_for(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    run(pair[1], """UPDATE observations SET fields = '{"title":"SECRET"}' WHERE id = 'o1'""")
    file = tmp_path / "d.parquet"
    report = diff(*pair, tmp_path, parquet=file)
    assert "SECRET" not in diff_text(report) + report.to_json()
    assert "before" not in pl.read_parquet(file).columns
    assert "title: changed" in diff_text(report)
    told = diff(*pair, tmp_path, values=True, parquet=file)
    assert '"t1" -> "SECRET"' in diff_text(told)
    assert pl.read_parquet(file).filter(field="title")["after"].to_list() == ['"SECRET"']


def test_how_an_entity_went_is_told(pair: tuple[Path, Path], tmp_path: Path) -> None:
    one, other = pair
    merge_entities(other, "e0", "e1", "m1", at=LATER, user=USER)
    insert_all(
        other,
        {
            "observations": [
                observation("gone", "e3", fields='{"_deleted":true}', observed_at=LATER)
            ]
        },
    )
    reasons = {e.entity: e.reason for e in diff(one, other, tmp_path).entities if e.kind == "gone"}
    assert reasons == {"e0": "merged into e1", "e3": "deleted"}


def test_of_a_shared_entity_each_users_own_is_compared(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    """Neotoma has one row for both, and it is the first user's: the other's change is seen."""
    for path in pair:
        rows = [observation("x", "e1", user_id="them", fields='{"title":"theirs"}')]
        insert_all(path, {"observations": rows})
    run(pair[1], """UPDATE observations SET fields = '{"title":"other"}' WHERE id = 'x'""")
    (found,) = diff(*pair, tmp_path).entities
    assert (found.kind, found.entity, found.user) == ("changed", "e1", "them")
    run(pair[1], "DELETE FROM observations WHERE id = 'x'")
    (found,) = diff(*pair, tmp_path).entities
    assert (found.kind, found.entity, found.user) == ("gone", "e1", "them")


def test_a_database_is_compared_with_what_it_was_and_with_its_archive(
    pair: tuple[Path, Path], tmp_path: Path
) -> None:
    one, _ = pair
    archive(one)
    place = one.parent / "archive"
    assert diff(place, one, tmp_path).entities == ()
    new = observation("o9", "e1", fields='{"a":5}', observed_at=LATER, created_at=LATER)
    insert_all(one, {"observations": [new]})
    for before in (f"{one}@2026-02-10", place):
        (found,) = diff(before, one, tmp_path, values=True).entities
        assert [(f.field, f.before, f.after) for f in found.fields] == [("a", "1", "5")]


def test_a_list_is_bounded_and_the_file_has_all(pair: tuple[Path, Path], tmp_path: Path) -> None:
    run(pair[1], "DELETE FROM observations")
    file = tmp_path / "d.parquet"
    report = diff(*pair, tmp_path, limit=1, parquet=file)
    assert (len(report.entities), report.left_off) == (1, 3)
    assert "and 3 more entities" in diff_text(report)
    assert pl.read_parquet(file).filter(what="entity").height == 4


@pytest.mark.parametrize(
    ("entity_type", "count", "words"),
    [
        ("contact", 412, "contacts"),
        ("feedback_note", 1, "feedback note"),
        ("company", 2, "companies"),
        ("key", 2, "keys"),
        ("news", 2, "news"),
        ("inbox", 2, "inboxes"),
    ],
)
def test_types_are_spoken_of_as_people_do(entity_type: str, count: int, words: str) -> None:
    assert people(entity_type, count) == words
