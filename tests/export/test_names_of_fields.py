"""Fields and types may have any name: an export has them in files, the catalog and the views."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from neotoma_core.export.files import Format
from neotoma_core.export.names import field_text
from neotoma_core.export.request import ExportRequest
from neotoma_core.export.steps import export_tables
from neotoma_core.report.progress import Silent
from tests.conftest import NOW
from tests.support.databases import Row, entity, make_database, observation
from tests.support.exported import READERS, catalog_of

NAMES = (
    "a\x00b",
    "\x00",
    "a\\u0000b",
    "a\x01\x1f\x7f\nb\tc\r\nd",
    "",
    "_",
    "Colour",
    "colour",
    "COLOUR",
    "x" * 5000,
    "a\"b'c`",
    "..",
    "a/b/../c",
    "a\\b",
    "entity_id",
    "ENTITY_ID",
    "Observation_Count",
    "_untyped",
    "_untyped_",
    "canonical_name",
    "\ud800",
    "\\ud800x",
    "half\udfff",
    "\U0001f600",
    "\u202eabc",
    "\ufeff",
    "\uffff",
    " ",
    "a ",
    "a.b",
    "%41",
    "a;b,c",
    "row",
    "rowid",
    "file_row_number",
    "*",
    "^.*$",
    "^a",
    "col('x')",
    "$.a",
    "İ",
    "ß",
    "SS",
    "K",
    "k",
    "json",
    "field",
    "entity_type",
    "snapshot",
    "constructor",
    "toString",
    "123",
)


# What JavaScript takes for the prototype is a value that was stated, and no field of a snapshot.
PROTOTYPE = "__proto__"


def json_of(value: object) -> str:
    return json.dumps(value)  # noqa: TID251 - a fixture, as Neotoma would store it


def value_of(place: int) -> str:
    return f"value {place}"


def export(database: Path, form: Format, **asked: Any) -> Path:
    to = database.parent / f"out-{form}"
    request = ExportRequest(to, database.parent / "vault", target=database, format=form, **asked)
    export_tables(request, NOW, Silent())
    return to


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One entity that has every name as a field, and one entity of a type of every name."""
    fields = {name: value_of(place) for place, name in enumerate(NAMES)} | {PROTOTYPE: "none"}
    first = observation("o", "e", fields=json_of(fields))
    rows: list[Row] = [first]
    entities = [entity("e")]
    for place, name in enumerate(NAMES):
        try:
            name.encode()
        except UnicodeEncodeError:
            continue  # SQLite has no such text
        stated = json_of({"place": value_of(place)})
        rows.append(observation(f"o{place}", f"e{place}", entity_type=name, fields=stated))
        entities.append(entity(f"e{place}", entity_type=name))
    folder = tmp_path_factory.mktemp("names")
    return make_database(folder / "neotoma.db", {"observations": rows, "entities": entities})


@pytest.mark.parametrize("form", READERS)
def test_every_field_has_a_column_of_its_own_that_holds_its_value(
    form: Format, database: Path
) -> None:
    folder = export(database, form)
    (table,) = [t for t in catalog_of(folder)["tables"] if t["entity_type"] == "note"]
    (row,) = READERS[form](folder / table["file"])
    titles = [column["name"] for column in table["columns"]]
    assert list(row) == titles
    assert len({title.lower() for title in titles}) == len(titles)
    values = {c["field"]: row[c["name"]] for c in table["columns"] if c["field"] is not None}
    assert values == {field_text(name): value_of(place) for place, name in enumerate(NAMES)}
    assert row["entity_id"] == "e"


@pytest.mark.parametrize("form", READERS)
def test_every_type_has_a_file_of_its_own_below_the_folder(form: Format, database: Path) -> None:
    folder = export(database, form)
    tables = {table["entity_type"]: table for table in catalog_of(folder)["tables"]}
    tables.pop(None)
    for place, name in enumerate(NAMES):
        if field_text(name) != name:
            continue
        file = folder / tables[name]["file"]
        assert file.parent == folder / "entities"
        (row,) = READERS[form](file)
        assert (row["entity_id"], row["place"]) == (f"e{place}", value_of(place))
    files = {table["file"].lower() for table in tables.values()}
    assert len(files) == len(tables)


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_every_view_shows_its_file(
    form: Format, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export(database, form)
    monkeypatch.chdir(folder)
    catalog = catalog_of(folder)
    files = {view["file"]: view["view"] for view in catalog["views"]}
    assert len({view.lower() for view in files.values()}) == len(catalog["tables"])
    with closing(duckdb.connect(str(folder / "analytics.duckdb"), read_only=True)) as connection:
        for table in catalog["tables"]:
            quoted = files[table["file"]].replace('"', '""')
            found = connection.execute(f'SELECT * FROM "{quoted}"')
            names = [column[0] for column in found.description or ()]
            assert names == [column["name"] for column in table["columns"]]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            assert len(rows) == table["rows"]
            if table["entity_type"] == "note":
                shown = {c["field"]: rows[0][c["name"]] for c in table["columns"] if c["field"]}
                expected = {field_text(n): value_of(p) for p, n in enumerate(NAMES) if n}
                assert shown == expected


@pytest.mark.parametrize("form", READERS)
def test_every_value_is_in_the_history_under_its_field(form: Format, database: Path) -> None:
    folder = export(database, form)
    rows = READERS[form](folder / f"field_values.{form}")
    found = {row["field"]: row["value"] for row in rows if row["entity_id"] == "e"}
    expected = {field_text(name): value_of(place) for place, name in enumerate(NAMES)}
    assert found == expected | {PROTOTYPE: "none"}


def test_values_of_every_kind_survive_every_format(tmp_path: Path) -> None:
    values = (
        "a\x00b",
        "\x00",
        "line\r\nline",
        '"',
        "",
        "  ",
        "\U0001f600",
        "x" * 3_000_000,
        "NULL",
    )
    rows = [
        observation(f"o{n}", f"e{n}", fields=json_of({"text": value, "list": [value]}))
        for n, value in enumerate(values)
    ]
    entities = [entity(f"e{n}") for n in range(len(values))]
    database = make_database(tmp_path / "n.db", {"observations": rows, "entities": entities})
    for form, read in READERS.items():
        folder = export(database, form)
        found = {row["entity_id"]: row["text"] for row in read(folder / f"entities/note.{form}")}
        assert found == {f"e{n}": value for n, value in enumerate(values)}
        if form != "arrow":
            assert rows_of_view(folder, "note") == found


def rows_of_view(folder: Path, view: str) -> dict[str, str]:
    with closing(duckdb.connect(str(folder / "analytics.duckdb"), read_only=True)) as connection:
        connection.execute(f"SET file_search_path = '{folder}'")
        return dict(connection.execute(f"SELECT entity_id, text FROM {view}").fetchall())


def test_a_sensitive_field_is_left_out_whatever_it_is_called(tmp_path: Path) -> None:
    fields = {name: {"type": "string", "sensitivity_class": "personal"} for name in NAMES}
    schema = {
        "id": "s",
        "entity_type": "note",
        "schema_version": "1.0",
        "schema_definition": json_of({"fields": fields}),
        "reducer_config": "{}",
        "active": 1,
        "scope": "global",
    }
    stated = json_of(dict.fromkeys(NAMES, "planted-secret"))
    database = make_database(
        tmp_path / "n.db",
        {
            "schema_registry": [schema],
            "entities": [entity("e")],
            "observations": [observation("o", "e", fields=stated)],
        },
    )
    for form in READERS:
        folder = export(database, form)
        for file in folder.rglob("*"):
            assert not file.is_file() or b"planted-secret" not in file.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_field_is_left_out_when_it_is_asked_for_by_name(name: str, tmp_path: Path) -> None:
    stated = json_of({name: "planted-secret", "other": 1})
    rows = {"entities": [entity("e")], "observations": [observation("o", "e", fields=stated)]}
    database = make_database(tmp_path / "n.db", rows)
    asked = (f"note.{name}",) if name and "=" not in name else ()
    folder = export(database, "csv", redact=asked)
    text = (folder / "entities/note.csv").read_bytes()
    assert (b"planted-secret" in text) is (not name)


def test_types_that_sql_cannot_tell_apart_each_have_a_view(tmp_path: Path) -> None:
    types = ("Observations", "entities_observations", "timeline", "Note", "note", "notes")
    database = make_database(tmp_path / "n.db")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for n, name in enumerate((*types, "entities/%4eote.parquet")):
            row = observation(f"o{n}", f"e{n}", entity_type=name)
            marks = ", ".join("?" * len(row))
            connection.execute(
                f"INSERT INTO observations ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
            )
    folder = export(database, "parquet")
    views = {view["file"]: view["view"] for view in catalog_of(folder)["views"]}
    assert views["observations.parquet"] == "observations"
    assert views["timeline.parquet"] == "timeline"
    assert views["entities/notes.parquet"] == "notes"
    assert views["entities/timeline.parquet"] == "entities_timeline"
    assert views["entities/note.parquet"] == "entities/note.parquet"
    assert len({view.lower() for view in views.values()}) == len(views) == 11
