"""Invented databases in the shape of the incident, made quickly."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.neotoma.ddl import create_database
from neotoma_core.neotoma.json import JsonValue, stringify
from neotoma_core.sqlite.arrow import arrow_connection, execute, ingest

TYPES: Final = ("contact", "task", "conversation", "message", "transaction")
USER: Final = "00000000-0000-0000-0000-000000000000"
_CHUNK: Final = 500_000
_MONDAY_MS: Final = 1_770_624_000_000
_SPAN_MS: Final = 2_600_000_000
_FIELDS: Final[dict[str, dict[str, JsonValue]]] = {
    "name": {"strategy": "highest_priority"},
    "status": {"strategy": "last_write"},
    "amount": {"strategy": "highest_priority", "tie_breaker": "source_priority"},
    "tags": {"strategy": "merge_array"},
    "assignee": {"strategy": "most_specific"},
    "done": {"strategy": "last_write"},
    "detail": {"strategy": "last_write"},
}
_TYPE_OF: Final = {"amount": "number", "tags": "array", "done": "boolean"}


def make_database(path: Path, observations: int) -> Path:
    """Create a database with so many observations of seven fields, and no snapshots yet.

    Half as many entities, more than half of them with one observation; a relationship for every
    twentieth observation; every merge strategy.
    """
    _create(path)
    for start in range(0, observations, _CHUNK):
        rows = invent(start, min(_CHUNK, observations - start), observations)
        _append(path, rows)
    with closing(sqlite3.connect(path)) as connection:
        _add_entities(connection)
    return path


def make_update(path: Path, target: Path, entities: int) -> Path:
    """Create a backup with one new observation for each of so many entities of ``target``."""
    _create(path)
    with closing(sqlite3.connect(target)) as connection:
        rows = connection.execute(
            "SELECT entity_id, entity_type FROM entity_snapshots LIMIT ?", (entities,)
        ).fetchall()
    owners = pl.DataFrame(
        rows, schema={"entity_id": pl.String, "entity_type": pl.String}, orient="row"
    )
    fresh = invent(10**9, entities, entities).drop("entity_id", "entity_type")
    _append(path, pl.concat([fresh, owners], how="horizontal"))
    with closing(sqlite3.connect(path)) as connection:
        _add_entities(connection)
    return path


def invent(start: int, rows: int, total: int) -> pl.DataFrame:
    """Return ``rows`` observations out of ``total``, from number ``start`` on."""
    number = pl.int_range(start, start + rows, dtype=pl.UInt64)
    noise = number.hash(seed=1)
    entity = pl.when(noise % 100 < 37).then(number).otherwise(noise % (total // 4 + 1))
    moment = (pl.lit(_MONDAY_MS) + (noise % _SPAN_MS).cast(pl.Int64)).cast(pl.Datetime("ms"))
    day = moment.dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ")
    fields = pl.format(
        '{{"name":"Name {}","status":"{}","amount":{}.5,"tags":["t{}","all"],"assignee":"Person {}"'
        ',"done":{},"detail":"what was said about it, at some length, in note {}"}}',
        entity,
        noise % 4,
        noise % 9_999,
        noise % 7,
        noise % 300,
        pl.when(noise % 2 == 0).then(pl.lit("true")).otherwise(pl.lit("false")),
        number,
    )
    return pl.select(
        id=pl.format("{}-{}", _digits(number, 3), _digits(number, 4)),
        entity_id=pl.format("ent_{}", _digits(entity, 5)),
        entity_type=pl.lit(pl.Series(TYPES)).gather(entity.hash(seed=2) % len(TYPES)),
        schema_version=pl.lit("1.0.0"),
        observed_at=day,
        specificity_score=pl.lit(1.0),
        source_priority=pl.lit(pl.Series([50, 100, 100, 100, 200, 1000])).gather(noise % 6),
        observation_source=pl.lit(pl.Series(["human", "sensor", "import", None])).gather(noise % 4),
        fields=fields,
        created_at=day,
        user_id=pl.lit(USER),
    )


def schema_rows() -> pl.DataFrame:
    """Return the rows of the schema registry: one schema for each type."""
    definition = stringify(
        {"fields": {name: {"type": _TYPE_OF.get(name, "string")} for name in _FIELDS}}
    )
    policies = stringify({"merge_policies": dict(_FIELDS)})
    return pl.DataFrame({"id": TYPES, "entity_type": TYPES}).with_columns(
        schema_version=pl.lit("1.0.0"),
        schema_definition=pl.lit(definition),
        reducer_config=pl.lit(policies),
        active=pl.lit(1, dtype=pl.Int64),
        scope=pl.lit("global"),
    )


def _digits(number: pl.Expr, seed: int) -> pl.Expr:
    """Return 16 digits that look random."""
    return number.hash(seed=seed).cast(pl.String).str.zfill(20).str.head(16)


def _create(path: Path) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for statement in create_database():
            connection.execute(statement)
        names = ", ".join(schema_rows().columns)
        marks = ", ".join("?" * schema_rows().width)
        connection.executemany(
            f"INSERT INTO schema_registry ({names}) VALUES ({marks})", schema_rows().rows()
        )
        connection.commit()


def _append(path: Path, observations: pl.DataFrame) -> None:
    with arrow_connection(str(path)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
            execute(connection, f"PRAGMA {pragma}")
        ingest(connection, "observations", observations)
        ingest(connection, "relationship_observations", relationships_of(observations))


def relationships_of(observations: pl.DataFrame) -> pl.DataFrame:
    """Return a relationship for every twentieth of some observations."""
    ends = observations.gather_every(20)
    others = ends.select(target="entity_id").reverse()
    return pl.concat([ends, others], how="horizontal").select(
        "id",
        "observed_at",
        "source_priority",
        "created_at",
        "user_id",
        relationship_key=pl.format("PART_OF:{}:{}", "entity_id", "target"),
        relationship_type=pl.lit("PART_OF"),
        source_entity_id="entity_id",
        target_entity_id="target",
        metadata=pl.format('{{"since":"{}"}}', "observed_at"),
    )


def _add_entities(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA cache_size = -1000000")
    connection.execute(
        "INSERT INTO entities (id, entity_type, canonical_name, user_id, created_at) "
        "SELECT entity_id, min(entity_type), entity_id, min(user_id), min(created_at) "
        "FROM observations GROUP BY entity_id"
    )
    connection.commit()
