"""Entity snapshots from observations: the vectorised reducer."""

from typing import Final

import polars as pl

from neotoma_core.policies import Registry
from neotoma_core.reduce.assembly import assemble, canonical_names
from neotoma_core.reduce.groups import groups_of
from neotoma_core.reduce.kept import kept_fields
from neotoma_core.reduce.objects import take_apart
from neotoma_core.reduce.ordering import in_order
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT, Reduction, in_slices
from neotoma_core.reduce.routing import entities_needing_exact
from neotoma_core.reduce.rowwise import reduce_entities_exactly
from neotoma_core.reduce.rules import Rules, rules_for
from neotoma_core.reduce.tombstones import deleted_groups
from neotoma_core.reduce.values import field_values

_NO_SCHEMA_VERSION: Final = "1.0"
_OBSERVATION: Final = (
    "id",
    "entity_id",
    "entity_type",
    "schema_version",
    "observed_at",
    "specificity_score",
    "source_priority",
    "observation_source",
    "fields",
    "user_id",
)


def reduce_entities(observations: pl.DataFrame, registry: Registry) -> Reduction:
    """Reduce observations to entity snapshots.

    Args:
        observations: ``Observation`` as stored, every one of each entity, in any row order; ids
            are distinct.
        registry: the active schemas.

    Upstream: observation_reducer.ts, computeSnapshot.
    """
    ordered = in_order(observations.select(_OBSERVATION), "entity_id")
    return in_slices(ordered, lambda part: _reduce_slice(part, registry))


def _reduce_slice(ordered: pl.DataFrame, registry: Registry) -> Reduction:
    """Reduce ordered observations, all those of each entity."""
    objects = take_apart(ordered.select("row", text="fields"))
    readable = ordered.join(objects.unreadable, on="row", how="anti", maintain_order="left")
    routed = entities_needing_exact(readable, objects.beyond)
    is_routed = pl.col("group").is_in(routed.implode())
    in_bulk = readable.filter(~is_routed)
    entities, rules = entities_of(in_bulk, registry)
    deleted = deleted_groups(in_bulk, objects.exploded)
    live = in_bulk.filter(~pl.col("group").is_in(deleted.implode()))
    exact = reduce_entities_exactly(readable.filter(is_routed), registry)
    return Reduction(
        snapshots=pl.concat([_snapshots(live, objects.exploded, entities, rules), exact.snapshots]),
        deleted=pl.concat([_ids_of(deleted, entities), exact.without]),
        unreadable=ordered.join(objects.unreadable, on="row").select(
            "entity_id", "reason", observation_id="id"
        ),
        unreduced=_without_readable(ordered, readable),
        schemaless=_schemaless(entities),
        exact=len(routed),
    )


def entities_of(readable: pl.DataFrame, registry: Registry) -> tuple[pl.DataFrame, Rules]:
    """Return the entities with what their latest observation says, and the rules they need."""
    heads = groups_of(
        readable, "entity_id", "entity_type", "user_id", "schema_version", "observed_at"
    )
    rules = rules_for(heads.select("entity_type", "user_id").unique(), registry)
    owned = heads.join(rules.schemas, on=["entity_type", "user_id"], nulls_equal=True)
    return owned, rules


def _snapshots(
    observations: pl.DataFrame, exploded: pl.DataFrame, entities: pl.DataFrame, rules: Rules
) -> pl.DataFrame:
    """Return the snapshots of the entities that have observations here."""
    contested = entities.select("group", "schema", contested=pl.col("observation_count") > 1)
    ruled = observations.join(contested, on="group", maintain_order="left")
    stated = field_values(
        ruled.select("row", "group", "source", "contested", "schema"), exploded, rules.fields
    )
    kept = kept_fields(stated.values, ruled, rules)
    stored_version = pl.col("schema_version").replace("", _NO_SCHEMA_VERSION)
    return (
        entities.join(observations.select("group").unique(), on="group", how="semi")
        .join(assemble(kept, stated.keys), on="group", how="left")
        .join(canonical_names(kept, stated.keys), on="group", how="left")
        .with_columns(
            pl.col("snapshot", "provenance").fill_null("{}"),
            schema_version=pl.coalesce("active_version", stored_version),
            computed_at="observed_at",
            last_observation_at="observed_at",
        )
        .select(*ENTITY_SNAPSHOT)
    )


def _ids_of(groups: pl.Series, entities: pl.DataFrame) -> pl.DataFrame:
    return entities.filter(pl.col("group").is_in(groups.implode())).select("entity_id")


def _without_readable(ordered: pl.DataFrame, readable: pl.DataFrame) -> pl.DataFrame:
    lost = ordered.select("group", "entity_id").join(readable, on="group", how="anti")
    return lost.select(pl.col("entity_id").unique())


def _schemaless(entities: pl.DataFrame) -> pl.DataFrame:
    """Return (entity_type, entities) of the entities without schema."""
    return (
        entities.filter(pl.col("schema").is_null())
        .group_by("entity_type")
        .agg(entities=pl.len().cast(pl.Int64))
        .sort("entity_type")
    )
