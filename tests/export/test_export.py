"""An export: typed, redacted, of one moment, and honest about what it could not type."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from neotoma_core.errors import UsageError
from neotoma_core.export import files as export_files
from neotoma_core.export.report import ExportReport
from neotoma_core.export.request import ExportRequest
from neotoma_core.export.steps import export_tables
from neotoma_core.files.atomic import observe
from neotoma_core.report.progress import Silent
from tests.conftest import NOW, Recover
from tests.support.archiving import archive, everything_in
from tests.support.databases import USER, Row, entity, make_database, observation

FIELDS = {
    "name": {"type": "string"},
    "age": {"type": "number"},
    "met": {"type": "date"},
    "seen": {"type": "date"},
    "tags": {"type": "array"},
    "more": {"type": "object"},
    "entity_id": {"type": "string"},
    "phone": {"type": "string", "sensitivity_class": "personal"},
}
SCHEMA = {
    "id": "s",
    "entity_type": "person",
    "schema_version": "1.0",
    "schema_definition": json.dumps({"fields": FIELDS}),  # noqa: TID251 - a fixture
    "reducer_config": "{}",
    "active": 1,
    "scope": "global",
}
ADA = (
    '{"name":"Ada","age":36,"met":"2026-01-05","seen":"2026-01-05T10:00:00Z","tags":["x","y"],'
    '"more":{"a":1},"entity_id":"mine","phone":"planted-phone"}'
)


def person(identifier: str, fields: str, **cells: object) -> Row:
    row = {"entity_type": "person", "fields": fields, **cells}
    return {**observation(identifier, f"ent_{identifier}"), **row}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    peer = '{"name":"peer","shared_secret":"planted-secret"}'
    return make_database(
        tmp_path / "data" / "neotoma.db",
        {
            "schema_registry": [SCHEMA],
            "entities": [
                entity("ent_o1", entity_type="person"),
                entity("ent_o2", entity_type="person"),
                entity("ent_p1", entity_type="peer_config", canonical_name="planted-name"),
            ],
            "observations": [
                person("o1", ADA),
                person("o2", '{"name":"Bo","age":"old","met":"soon"}'),
                person(
                    "o3",
                    '{"name":"Bo","age":40}',
                    entity_id="ent_o2",
                    observed_at="2026-03-01T00:00:00.000Z",
                ),
                observation("p1", "ent_p1", entity_type="peer_config", fields=peer),
                observation("h1", "ent_h1", entity_type="../../x", fields='{"a":1}'),
                observation("u1", "ent_u1", fields="not json"),
            ],
            "timeline_events": [
                {
                    "id": "t1",
                    "event_type": "Met",
                    "event_timestamp": "2026-01-05T00:00:00.000Z",
                    "entity_id": "ent_o1",
                    "source_field": "met",
                    "created_at": "2026-02-01T00:00:00.000Z",
                    "user_id": USER,
                },
                {
                    "id": "t2",
                    "event_type": "Phoned",
                    "event_timestamp": "no time",
                    "entity_id": "ent_o1",
                    "source_field": "phone",
                    "created_at": "2026-02-01T00:00:00.000Z",
                },
            ],
        },
    )


def export(to: Path, **options: object) -> ExportReport:
    request = ExportRequest(to=to, vault=to.parent / "vault", **options)  # type: ignore[arg-type]  # a test's own keywords
    return export_tables(request, NOW, Silent())


def catalog_of(to: Path) -> dict[str, dict[str, Any]]:
    listed = json.loads((to / "catalog.json").read_text())["tables"]
    return {table["file"]: table for table in listed}


def test_entities_are_wide_and_typed_and_what_does_not_fit_stays_as_text(
    database: Path, tmp_path: Path
) -> None:
    export(tmp_path / "out", target=database)
    rows = pl.read_parquet(tmp_path / "out" / "entities" / "person.parquet")
    ada, bo = rows.rows(named=True)
    assert (ada["name"], ada["age"], ada["met"]) == ("Ada", 36.0, date(2026, 1, 5))
    assert ada["seen"] == datetime(2026, 1, 5, 10, tzinfo=UTC)
    assert (ada["tags"], ada["more"], ada["entity_id_"]) == (["x", "y"], '{"a":1}', "mine")
    assert (ada["entity_id"], ada["observation_count"]) == ("ent_o1", 1)
    assert (bo["age"], bo["met"], bo["_untyped"]) == (40.0, None, '{"met":"\\"soon\\""}')
    assert bo["last_observed_at"] == datetime(2026, 3, 1, tzinfo=UTC)
    columns = {
        c["name"]: c for c in catalog_of(tmp_path / "out")["entities/person.parquet"]["columns"]
    }
    assert columns["met"]["untyped"] == 1
    assert columns["entity_id_"]["field"] == "entity_id"


def test_days_without_a_time_are_dates(database: Path, tmp_path: Path) -> None:
    export(tmp_path / "out", target=database, as_of="2026-02-01T00:00:00Z")
    rows = pl.read_parquet(tmp_path / "out" / "entities" / "person.parquet")
    assert rows["seen"].dtype == pl.Datetime("ms", "UTC")
    plain = make_database(
        tmp_path / "plain.db",
        {"schema_registry": [SCHEMA], "observations": [person("o1", '{"met":"2026-01-05"}')]},
    )
    export(tmp_path / "plain", target=plain)
    met = pl.read_parquet(tmp_path / "plain" / "entities" / "person.parquet")["met"]
    assert met.to_list() == [date(2026, 1, 5)]


def test_the_history_has_every_value_ever_stated(database: Path, tmp_path: Path) -> None:
    export(tmp_path / "out", target=database)
    values = pl.read_parquet(tmp_path / "out" / "field_values.parquet")
    of_bo = values.filter(pl.col("entity_id") == "ent_o2", pl.col("field") == "age")
    stated = of_bo.sort("observed_at").select("value", "value_type", "observation_id").rows()
    assert stated == [("old", "string", "o2"), ("40", "number", "o3")]


def test_an_export_is_as_of_a_time(database: Path, tmp_path: Path) -> None:
    report = export(tmp_path / "out", target=database, as_of="2026-02-10")
    rows = pl.read_parquet(tmp_path / "out" / "entities" / "person.parquet")
    assert rows.filter(pl.col("entity_id") == "ent_o2")["observation_count"].item() == 1
    assert report.as_of == "2026-02-10"


@pytest.mark.parametrize("form", ["parquet", "csv", "arrow"])
def test_no_secret_is_in_any_file(form: str, database: Path, tmp_path: Path) -> None:
    export(tmp_path / "out", target=database, format=form, redact=("person.name=hash", "*.more"))
    stored = everything_in(tmp_path / "out")
    assert "mine" in stored  # the search finds what there is
    for planted in ("planted-secret", "planted-phone", "planted-name", "Ada"):
        assert planted not in stored


def test_a_redacted_field_leaves_every_table(database: Path, tmp_path: Path) -> None:
    redact = ("person.name=hash", "person.met")
    export(tmp_path / "out", target=database, redact=redact)
    out = tmp_path / "out"
    rows = pl.read_parquet(out / "entities" / "person.parquet")
    values = pl.read_parquet(out / "field_values.parquet").filter(pl.col("field") == "name")
    hashes = dict(rows.select("entity_id", "name").iter_rows())
    assert "met" not in rows.columns
    assert rows["canonical_name"].null_count() == 2
    assert set(hashes["ent_o1"]) <= set("0123456789abcdef")
    assert set(values.filter(pl.col("entity_id") == "ent_o1")["value"]) == {hashes["ent_o1"]}
    fields = pl.read_parquet(out / "observations.parquet")["fields"].drop_nulls()
    assert any('"age"' in text for text in fields)
    assert not any('"met"' in text or "Ada" in text for text in fields)
    assert pl.read_parquet(out / "timeline.parquet").is_empty()


def test_a_type_with_a_hostile_name_gets_a_harmless_file(database: Path, tmp_path: Path) -> None:
    export(tmp_path / "out", target=database)
    name = "entities/%2e%2e%2f%2e%2e%2fx.parquet"
    assert catalog_of(tmp_path / "out")[name]["entity_type"] == "../../x"
    assert pl.read_parquet(tmp_path / "out" / name)["a"].to_list() == [1.0]


HOSTILE = ("", "a\x00b", 'x"y', "it's", "observations", "CON", "Note", "note", "x" * 300, "é\n")


def test_whatever_types_are_called_each_has_a_file_and_a_view(tmp_path: Path) -> None:
    rows = [
        observation(f"o{n}", f"e{n}", entity_type=name, fields=f'{{"n":{n}}}')
        for n, name in enumerate(HOSTILE)
    ]
    export(tmp_path / "out", target=make_database(tmp_path / "db.sqlite", {"observations": rows}))
    listed = json.loads((tmp_path / "out" / "catalog.json").read_text())
    files = {t["entity_type"]: t["file"] for t in listed["tables"] if t["entity_type"] is not None}
    views = {view["file"]: view["view"] for view in listed["views"]}
    with duckdb.connect(str(tmp_path / "out" / "analytics.duckdb"), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{tmp_path / 'out'}'")
        for number, name in enumerate(HOSTILE):
            view = views[files[name]].replace('"', '""')
            assert connection.sql(f'SELECT n FROM "{view}"').fetchall() == [(float(number),)]


def test_an_observation_that_cannot_be_read_is_named(database: Path, tmp_path: Path) -> None:
    report = export(tmp_path / "out", target=database)
    assert ("unreadable", "u1") in {(f.kind, f.subject) for f in report.findings}
    rows = pl.read_parquet(tmp_path / "out" / "observations.parquet")
    assert rows.filter(pl.col("observation_id") == "u1")["fields"].item() == "not json"


def test_the_duckdb_file_has_views_that_move_with_the_folder(
    database: Path, tmp_path: Path
) -> None:
    export(tmp_path / "out", target=database)
    moved = (tmp_path / "out").rename(tmp_path / "moved")
    with duckdb.connect(str(moved / "analytics.duckdb"), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{moved}'")
        found = connection.sql("SELECT name, age FROM person ORDER BY name").fetchall()
        hostile = connection.sql('SELECT a FROM "../../x"').fetchall()
    assert found == [("Ada", 36.0), ("Bo", 40.0)]
    assert hostile == [(1.0,)]


def test_an_archive_exports_as_its_database_does(
    incident: Path, tmp_path: Path, run_recover: Recover
) -> None:
    target = incident / "data" / "neotoma.prod.db"
    run_recover(target, incident / "backups" / "neotoma.prod.db.db")
    archive(target, tmp_path / "archive")
    export(tmp_path / "one", target=target)
    export(tmp_path / "two", archive=tmp_path / "archive")
    files = sorted(catalog_of(tmp_path / "one"))
    assert files == sorted(catalog_of(tmp_path / "two"))
    for file in files:
        first, second = (pl.read_parquet(tmp_path / side / file) for side in ("one", "two"))
        order = [name for name, kind in first.schema.items() if kind != pl.List(pl.String)]
        assert first.sort(order).equals(second.sort(order)), file


def test_an_earlier_export_is_replaced_and_anything_else_refused(
    database: Path, tmp_path: Path
) -> None:
    export(tmp_path / "out", target=database)
    export(tmp_path / "out", target=database, format="csv")
    assert (tmp_path / "out" / "observations.csv").is_file()
    assert not (tmp_path / "out" / "observations.parquet").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("mine")
    for place in (tmp_path / "mine", tmp_path / "mine" / "note.txt", database.parent):
        with pytest.raises(UsageError, match="--to"):
            export(place, target=database)
    assert (tmp_path / "mine" / "note.txt").read_text() == "mine"
    with pytest.raises(UsageError, match="--target, or --archive"):
        export(tmp_path / "new")


@pytest.mark.parametrize("step", export_files.STEPS)
def test_stopped_at_any_step_the_folder_has_the_old_export_or_the_new(
    step: str, database: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(out, target=database, format="csv")

    def stop(reached: str) -> None:
        if reached == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), observe(stop):
        export(out, target=database)
    form = ".parquet" if step == "export_in_place" else ".csv"
    assert {path.suffix for path in out.glob("*.*")} == {".json", ".duckdb", form}
    export(out, target=database)
    assert (out / "observations.parquet").is_file()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "out", "vault"]
