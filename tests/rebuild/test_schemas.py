"""By which schemas a rebuild reduces: the target's own first, then those of a file."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from neotoma_core.errors import UsageError
from neotoma_core.rebuild.report import RebuildReport
from tests.support.databases import Row, entity, make_database, observation
from tests.support.rebuilding import rebuild

ONLY_TITLE = {"fields": {"title": {"type": "string"}}}
ONLY_SIZE = {"fields": {"size": {"type": "number"}}}
LAST_WRITE = {"merge_policies": {"title": {"strategy": "last_write"}}}


def schema(
    entity_type: str, definition: object, config: object = LAST_WRITE, **cells: object
) -> Row:
    return {
        "id": f"{entity_type}-{cells}",
        "entity_type": entity_type,
        "schema_version": "1.0.0",
        "schema_definition": definition if isinstance(definition, str) else json.dumps(definition),  # noqa: TID251 - a test's input
        "reducer_config": json.dumps(config),  # noqa: TID251 - a test's input
        "active": 1,
        "scope": "global",
        **cells,
    }


def make_target(folder: Path, *schemas: Row) -> Path:
    fields = '{"title":"t","size":3}'
    return make_database(
        folder / "target.db",
        {
            "entities": [entity("e1"), entity("e2", entity_type="task")],
            "observations": [
                observation("a", "e1", fields=fields),
                observation("b", "e2", entity_type="task", fields=fields),
            ],
            "schema_registry": schemas,
        },
    )


def snapshots(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT entity_id, snapshot FROM entity_snapshots")
        return dict(rows.fetchall())


def subjects_of(report: RebuildReport, kind: str) -> list[str]:
    return [finding.subject for finding in report.findings if finding.kind == kind]


def write(folder: Path, document: object) -> Path:
    path = folder / "schemas.json"
    path.write_text(json.dumps(document))  # noqa: TID251 - a test's input
    return path


def export(entity_type: str, definition: object, **more: object) -> dict[str, object]:
    return {
        "entity_type": entity_type,
        "schema_version": "1.0",
        "active": True,
        "created_at": "2026-01-08T15:02:03.513497+00:00",
        "schema_definition": definition,
        "reducer_config": LAST_WRITE,
        **more,
    }


def test_types_without_a_schema_take_every_field_and_are_named(tmp_path: Path) -> None:
    target = make_target(tmp_path, schema("note", ONLY_TITLE))
    report = rebuild(target)
    assert snapshots(target) == {"e1": '{"title":"t"}', "e2": '{"title":"t","size":3}'}
    assert subjects_of(report, "no-schema") == ["task"]


def test_another_database_gives_the_schemas_that_are_missing(tmp_path: Path) -> None:
    target = make_target(tmp_path, schema("note", ONLY_TITLE))
    other = make_database(
        tmp_path / "other.db",
        {"schema_registry": [schema("note", ONLY_SIZE), schema("task", ONLY_SIZE)]},
    )
    report = rebuild(target, schemas=other)
    assert snapshots(target) == {"e1": '{"title":"t"}', "e2": '{"size":3}'}
    assert subjects_of(report, "no-schema") == []


@pytest.mark.parametrize(
    "document",
    [
        export("task", ONLY_SIZE),
        [export("task", ONLY_SIZE)],
        {"schemas": [export("task", ONLY_SIZE)]},
        [export("task", ONLY_TITLE, active=False), export("task", ONLY_SIZE)],
        [export("task", ONLY_TITLE, active=False), export("task", ONLY_SIZE, active=False)],
        [export("task", json.dumps(ONLY_SIZE))],  # noqa: TID251 - a test's input
    ],
    ids=["one", "array", "wrapped", "history", "none active", "as text"],
)
def test_a_json_export_gives_the_schemas_that_are_missing(document: object, tmp_path: Path) -> None:
    target = make_target(tmp_path, schema("note", ONLY_TITLE))
    rebuild(target, schemas=write(tmp_path, document))
    assert snapshots(target) == {"e1": '{"title":"t"}', "e2": '{"size":3}'}


def test_a_broken_registry_row_is_named_and_the_next_one_used(tmp_path: Path) -> None:
    target = make_target(
        tmp_path, schema("note", "{not json", schema_version="0.9"), schema("note", ONLY_TITLE)
    )
    report = rebuild(target)
    assert snapshots(target)["e1"] == '{"title":"t"}'
    assert subjects_of(report, "broken-schema") == ["note 0.9"]


def test_a_broken_registry_row_without_a_next_one_leaves_it_to_the_file(tmp_path: Path) -> None:
    target = make_target(tmp_path, schema("task", "{not json"))
    rebuild(target, schemas=write(tmp_path, export("task", ONLY_SIZE)))
    assert snapshots(target)["e2"] == '{"size":3}'


def test_an_unknown_strategy_is_a_finding_and_nothing_is_invented(tmp_path: Path) -> None:
    config = {"merge_policies": {"title": {"strategy": "by_horoscope"}}}
    target = make_target(tmp_path, schema("note", ONLY_TITLE, config))
    report = rebuild(target)
    assert "e1" in subjects_of(report, "reduction-fails")
    assert subjects_of(report, "newer-release") == [str(target)]
    assert "e1" not in snapshots(target)


@pytest.mark.parametrize("content", ["not json", '{"a":1}', '[{"entity_type":"x"}]', "[3]", ""])
def test_a_file_without_schemas_is_refused(content: str, tmp_path: Path) -> None:
    target = make_target(tmp_path)
    path = tmp_path / "schemas.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="schemas"):
        rebuild(target, schemas=path)
    assert snapshots(target) == {}
