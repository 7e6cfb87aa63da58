"""One entity, as a database, a copy of it, or an archive has it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.entity_view.entity import without_values
from neotoma_core.entity_view.entity_text import entity_text
from neotoma_core.errors import UsageError
from tests.support.archiving import archive
from tests.support.databases import USER, entity, make_database, observation, source
from tests.support.merging_entities import merge_entities
from tests.support.rebuilding import rebuild
from tests.support.viewing import edge, name, show, view

LATER = "2026-03-01T00:00:00.000Z"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Two people who know each other, and one more of the same name."""
    return make_database(
        tmp_path / "neotoma.db",
        {
            "entities": [
                entity("e1", entity_type="contact", canonical_name="contact:zoe@example.org"),
                entity("e2", entity_type="contact", aliases='["Bert the Tall"]'),
                entity("e3", entity_type="company"),
            ],
            "sources": [source("s1", original_filename="letter.txt")],
            "observations": [
                observation(
                    "o1", "e1", entity_type="contact", fields='{"name":"Zoë  Ångström","age":30}'
                ),
                observation(
                    "o2",
                    "e1",
                    entity_type="contact",
                    fields='{"age":31}',
                    observed_at=LATER,
                    created_at=LATER,
                    source_id="s1",
                ),
                observation("o3", "e2", entity_type="contact", fields='{"name":"Bert"}'),
                observation("o4", "e3", entity_type="company", fields='{"name":"Bert"}'),
            ],
            "relationship_observations": [
                edge("r1", "e1", "e2"),
                edge("r2", "e3", "e1"),
                edge("r3", "e1", "e3", metadata='{"_deleted":true}'),
            ],
        },
    )


def test_a_name_is_found_whatever_its_case_accents_and_blanks(people: Path, tmp_path: Path) -> None:
    seen = view(people, tmp_path)
    for words in ("zoe angstrom", "ZOË ÅNGSTRÖM", "Zoe@Example.org", "ångstr", "e1"):
        assert [one.entity_id for one in name(seen, words)] == ["e1"]
    assert [one.entity_id for one in name(seen, "bert the tall")] == ["e2"]


def test_of_several_that_match_all_are_named_and_a_type_tells_them_apart(
    people: Path, tmp_path: Path
) -> None:
    seen = view(people, tmp_path)
    assert [one.entity_id for one in name(seen, "bert")] == ["e3", "e2"]
    assert [one.entity_id for one in name(seen, "bert", "company")] == ["e3"]
    assert [one.entity_id for one in name(seen, "contact")] == ["e2", "e1"]
    with pytest.raises(UsageError, match="no entity of the type contcat; did you mean contact"):
        name(seen, "bert", "contcat")


def test_the_nearest_are_named_by_id_and_never_by_what_is_stored(
    people: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"the nearest are e1 \(contact\)") as refused:
        name(view(people, tmp_path), "zoe angstrum")
    assert "Zo" not in str(refused.value).partition(":")[2]


def test_each_value_is_told_with_the_observation_and_the_source_it_comes_from(
    people: Path, tmp_path: Path
) -> None:
    report = show(people, "e1", tmp_path)
    fields = {f.field: (f.value, f.observations, f.source, f.file) for f in report.fields}
    assert fields == {
        "name": ("Zoë  Ångström", ("o1",), None, None),
        "age": ("31", ("o2",), "s1", "letter.txt"),
    }
    text = entity_text(report)
    assert "from o2, 2026-03-01T00:00:00.000Z, source s1 (letter.txt)" in text


def test_edges_are_shown_in_both_directions_and_dead_ones_are_not(
    people: Path, tmp_path: Path
) -> None:
    edges = {(e.direction, e.other, e.name) for e in show(people, "e1", tmp_path).edges}
    assert edges == {("to", "e2", "Bert"), ("from", "e3", "Bert")}


def test_without_values_nothing_that_is_stored_is_left(people: Path, tmp_path: Path) -> None:
    report = without_values(show(people, "e1", tmp_path))
    for text in (entity_text(report), report.to_json()):
        assert "o2" in text
        assert not any(word in text for word in ("ngstr", "Bert", "31", "letter"))


def test_at_a_moment_only_what_was_stored_by_then_is_there(people: Path, tmp_path: Path) -> None:
    report = show(f"{people}@2026-02-15", "e1", tmp_path)
    assert {f.field: f.value for f in report.fields} == {"name": "Zoë  Ångström", "age": "30"}
    assert report.moment == "2026-02-15T00:00:00.000Z"
    with pytest.raises(UsageError, match="2026-02-30"):
        view(f"{people}@2026-02-30", tmp_path)


def test_every_user_of_a_shared_entity_has_fields_of_their_own(tmp_path: Path) -> None:
    shared = [
        observation("mine", "e1", user_id="me", fields='{"title":"of me"}'),
        observation("theirs", "e1", user_id="them", fields='{"title":"of them"}'),
    ]
    path = make_database(tmp_path / "n.db", {"entities": [entity("e1")], "observations": shared})
    report = show(path, "e1", tmp_path)
    assert [(f.user, f.value) for f in report.fields] == [("me", "of me"), ("them", "of them")]
    assert "of user them" in entity_text(report)


def test_a_stored_snapshot_that_says_otherwise_is_told(people: Path, tmp_path: Path) -> None:
    assert show(people, "e1", tmp_path).stored == "missing"
    rebuild(people)
    assert show(people, "e1", tmp_path).stored == "same"
    with closing(sqlite3.connect(people)) as connection, connection:
        connection.execute("UPDATE entity_snapshots SET snapshot = '{}' WHERE entity_id = 'e1'")
    report = show(people, "e1", tmp_path)
    assert report.stored == "differs"
    assert "stored snapshot says otherwise" in entity_text(report)


def test_what_was_deleted_or_merged_away_says_so(people: Path, tmp_path: Path) -> None:
    merge_entities(people, "e2", "e1", "m1", at=LATER, user=USER)
    with closing(sqlite3.connect(people)) as connection, connection:
        connection.execute("UPDATE observations SET fields = '{\"_deleted\":true}' WHERE id = 'o4'")
    merged, deleted = show(people, "e2", tmp_path), show(people, "e3", tmp_path)
    assert (merged.state, merged.survivor, deleted.state) == ("merged-away", "e1", "deleted")
    assert [(m.id, m.entity, m.into) for m in merged.merges] == [("m1", "e2", "e1")]
    assert "merged into e1" in entity_text(merged)


def test_an_archive_shows_the_entity_and_the_versions_of_its_observations(
    people: Path, tmp_path: Path
) -> None:
    archive(people)
    with closing(sqlite3.connect(people)) as connection, connection:
        connection.execute("UPDATE observations SET source_priority = 7 WHERE id = 'o1'")
    archive(people)
    place = people.parent / "archive"
    report = show(place, "Zoe Angstrom", tmp_path, archive=place)
    assert {f.field for f in report.fields} == {"name", "age"}
    assert [(v.observation, v.changed) for v in report.versions if v.version > 1] == [
        ("o1", ("source_priority",))
    ]
    assert "o1   version 2   source_priority" in entity_text(report)


def test_nothing_is_written_beside_what_is_looked_at(people: Path, tmp_path: Path) -> None:
    before = sorted(p.name for p in people.parent.iterdir())
    (tmp_path / "scratch").mkdir()
    show(people, "e1", tmp_path / "scratch")
    assert sorted(p.name for p in people.parent.iterdir()) == sorted([*before, "scratch"])
