"""The tables of an export, bucket by bucket: what is read, reduced and taken apart."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from neotoma_core.comparison.selection import read_owners
from neotoma_core.export.entities import MOMENT
from neotoma_core.export.redaction import Redactions, redact_object
from neotoma_core.export.stated import as_values, members, redact
from neotoma_core.export.typed import rest_as_texts
from neotoma_core.neotoma.frames import as_javascript_reads, numbers_of
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.neotoma.times import Instants, instants
from neotoma_core.rebuild.deciding import take_bucket
from neotoma_core.rebuild.reading import Reading
from neotoma_core.reduce.cut_off import up_to
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.runs.ahead import work_ahead
from neotoma_core.snapshots.deciding import ENTITY_SNAPSHOTS, RELATIONSHIP_SNAPSHOTS
from neotoma_core.snapshots.reading import complete_rows, reduce_live
from neotoma_core.sqlite.rows import read_rows

_NUMBERS: Final = ("source_priority", "specificity_score")
OBSERVATIONS: Final = {
    "observation_id": pl.String(),
    "entity_id": pl.String(),
    "entity_type": pl.String(),
    "observed_at": MOMENT,
    "created_at": MOMENT,
    "source_priority": pl.Float64(),
    "observation_source": pl.String(),
    "specificity_score": pl.Float64(),
    "schema_version": pl.String(),
    "user_id": pl.String(),
    "fields": pl.String(),
    "_untyped": pl.String(),
}
FIELD_VALUES: Final = {
    "entity_id": pl.String(),
    "entity_type": pl.String(),
    "field": pl.String(),
    "value": pl.String(),
    "value_type": pl.String(),
    "observation_id": pl.String(),
    "observed_at": MOMENT,
    "source_priority": pl.Float64(),
}
RELATIONSHIPS: Final = {
    "relationship_key": pl.String(),
    "relationship_type": pl.String(),
    "source_entity_id": pl.String(),
    "target_entity_id": pl.String(),
    "is_live": pl.Boolean(),
    "metadata": pl.String(),
    "observation_count": pl.Int64(),
    "last_observed_at": MOMENT,
    "user_id": pl.String(),
    "_untyped": pl.String(),
}
TIMELINE: Final = {
    "event_id": pl.String(),
    "event_type": pl.String(),
    "event_at": MOMENT,
    "entity_id": pl.String(),
    "entity_type": pl.String(),
    "field": pl.String(),
    "source_id": pl.String(),
    "created_at": MOMENT,
    "user_id": pl.String(),
    "_untyped": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Leaving:
    """What leaves the database: the log up to ``end``, less what is redacted."""

    end: Instants
    redactions: Redactions
    salt: bytes


@dataclass(frozen=True, slots=True)
class EntityBucket:
    """One bucket of entities: their observations, every value stated, their snapshots.

    ``unreadable``: (observation_id, reason) of observations whose fields are not an object.
    ``stated``: (entity type, field) of every value, redacted or not.
    """

    observations: pl.DataFrame
    values: pl.DataFrame
    snapshots: pl.DataFrame
    unreadable: pl.DataFrame
    stated: frozenset[tuple[str, str]]


def entity_buckets(reading: Reading, leaving: Leaving) -> Iterator[EntityBucket]:
    """Yield the entities bucket by bucket; two are under way at a time."""
    rules = replace(reading.rules, merged_away=reading.rules.merged_away.by(leaving.end))
    owners = read_owners(reading.whole, reading.stored, ENTITY_SNAPSHOTS)

    def take(number: int) -> EntityBucket:
        observed = up_to(take_bucket(reading, "observations", number), leaving.end)
        complete = complete_rows("observations", observed)
        reduction = reduce_live(observed, rules, owners)
        dated = complete.with_columns(moment("observed_at", complete).alias("_at"))
        spans = dated.group_by("entity_id").agg(
            first_observed_at=pl.col("_at").min(), last_observed_at=pl.col("_at").max()
        )
        snapshots = reduction.snapshots.join(spans, on="entity_id", how="left")
        unreadable = reduction.unreadable.select("observation_id", "reason")
        values = _read_stated(_as_read(dated))
        return EntityBucket(
            _observations(_as_read(complete), leaving),
            _values(values, leaving),
            _as_read(snapshots),
            unreadable,
            frozenset(values.select("entity_type", "field").unique().rows()),
        )

    return work_ahead(take, reading.spilled["observations"].buckets.count)


def relationship_buckets(reading: Reading, end: Instants, now: str) -> Iterator[pl.DataFrame]:
    """Yield the relationships bucket by bucket; ``now``: ISO time of the computation."""
    owners = read_owners(reading.whole, reading.stored, RELATIONSHIP_SNAPSHOTS)

    def take(number: int) -> pl.DataFrame:
        observed = up_to(take_bucket(reading, "relationship_observations", number), end)
        complete = complete_rows("relationship_observations", observed)
        found = _as_read(reduce_relationships(complete, owners, now=now).snapshots)
        last = moment("last_observation_at", found)
        return found.select(
            *("relationship_key", "relationship_type", "source_entity_id", "target_entity_id"),
            is_live=pl.col("is_live") == 1,
            metadata="snapshot",
            observation_count="observation_count",
            last_observed_at=last,
            user_id="user_id",
            _untyped=rest_as_json(found, last_observation_at=last),
        )

    return work_ahead(take, reading.spilled["relationship_observations"].buckets.count)


def timeline(reading: Reading, leaving: Leaving) -> pl.DataFrame:
    """Return the timeline; events that redacted fields gave rise to are not in it."""
    if "timeline_events" not in reading.stored:
        return pl.DataFrame(schema=TIMELINE)
    stored = reading.stored["timeline_events"]
    read = read_rows(reading.whole, stored.known, stored.columns)
    limits = [limit for limit in (leaving.end.observed, leaving.end.known) if limit is not None]
    events = up_to(read, Instants(None, min(limits, default=None)))
    entities = reading.stored["entities"]
    owners = read_rows(reading.whole, entities.known, entities.columns)
    typed = events.join(
        owners.select(entity_id="id", entity_type="entity_type")
        .drop_nulls()
        .unique("entity_id", keep="first", maintain_order=True),
        on="entity_id",
        how="left",
        maintain_order="left",
    )
    pairs = typed.select("entity_type", "source_field")
    shown = [
        leaving.redactions.of(owner or "", name or "") is None for owner, name in pairs.iter_rows()
    ]
    kept = _as_read(
        reading.erased.without("timeline_events", typed.filter(pl.Series(shown, dtype=pl.Boolean)))
    )
    at, created = moment("event_timestamp", kept), moment("created_at", kept)
    return kept.select(
        event_id="id",
        event_type="event_type",
        event_at=at,
        entity_id="entity_id",
        entity_type="entity_type",
        field="source_field",
        source_id="source_id",
        created_at=created,
        user_id="user_id",
        _untyped=rest_as_json(kept, event_timestamp=at, created_at=created),
    ).sort("event_at", "event_id")


def _as_read(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with text as JavaScript reads it: not every reader takes bytes for text."""
    texts = [name for name, kind in rows.schema.items() if kind == pl.String]
    return as_javascript_reads(rows, [name for name in texts if name not in _NUMBERS])


def moment(column: str, rows: pl.DataFrame) -> pl.Series:
    """Return a column of ISO texts as UTC times; null for invalid ones."""
    return instants(rows[column]).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def rest_as_json(rows: pl.DataFrame, **read: pl.Series) -> pl.Series:
    """Return the texts that are not a time, as a JSON object a row; null where all are."""
    fields = {
        name: (rows[name], values.is_not_null() | rows[name].is_null())
        for name, values in read.items()
    }
    odd = {name: pair for name, pair in fields.items() if not pair[1].all()}
    return rest_as_texts(odd, rows.height)


def _observations(rows: pl.DataFrame, leaving: Leaving) -> pl.DataFrame:
    observed, created = moment("observed_at", rows), moment("created_at", rows)
    return rows.with_columns(fields=_redact(rows, leaving)).select(
        observation_id="id",
        entity_id="entity_id",
        entity_type="entity_type",
        observed_at=observed,
        created_at=created,
        source_priority=numbers_of(rows["source_priority"]),
        observation_source="observation_source",
        specificity_score=numbers_of(rows["specificity_score"]),
        schema_version="schema_version",
        user_id="user_id",
        fields="fields",
        _untyped=rest_as_json(rows, observed_at=observed, created_at=created),
    )


def _redact(rows: pl.DataFrame, leaving: Leaving) -> pl.Series:
    """Return the fields of observations without what is redacted."""
    touched = [t for t in rows["entity_type"].unique() if leaving.redactions.touches(t)]
    if not touched:
        return rows["fields"]
    texts = [
        redact_object(text or "", owner, leaving.redactions, leaving.salt)
        if owner in touched
        else text
        for owner, text in rows.select("entity_type", "fields").iter_rows()
    ]
    return pl.Series("fields", texts, dtype=pl.String)


def _read_stated(dated: pl.DataFrame) -> pl.DataFrame:
    numbered = dated.with_row_index("row")
    stated = members(numbered.select("row", text="fields"))
    about = numbered.select(
        "row",
        "entity_id",
        "entity_type",
        source_priority=numbers_of(dated["source_priority"]),
        observation_id="id",
        observed_at="_at",
    )
    return stated.join(about, on="row", how="left", maintain_order="left")


def _values(owned: pl.DataFrame, leaving: Leaving) -> pl.DataFrame:
    return as_values(redact(owned, leaving.redactions, leaving.salt)).select(*FIELD_VALUES)


def schema_rows(reading: Reading) -> list[dict[str, object]]:
    """Return the schemas of the database, active or not, as rows."""
    if "schema_registry" not in reading.stored:
        return []
    stored = reading.stored["schema_registry"]
    known = BY_NAME["schema_registry"]
    rows = read_rows(reading.whole, stored.known, stored.columns)
    return list(rows.select(known.names).to_dicts())
