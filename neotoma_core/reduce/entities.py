"""Entity snapshots from observations: the vectorised reducer."""

from typing import Final

import polars as pl

from neotoma_core.neotoma.frames import ROWID, as_javascript_reads, numbers_of
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.reduce.exact.rule_sets import RuleSet
from neotoma_core.reduce.fields.assembly import assemble, canonical_names
from neotoma_core.reduce.fields.kept import keep_fields
from neotoma_core.reduce.fields.objects import take_apart
from neotoma_core.reduce.fields.ordering import in_order
from neotoma_core.reduce.fields.rules import FieldRules, rules_for
from neotoma_core.reduce.fields.values import field_values
from neotoma_core.reduce.groups import groups_of, with_heads
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT, FAILED, Reduction, in_slices
from neotoma_core.reduce.routing import entities_needing_exact
from neotoma_core.reduce.rowwise import reduce_entities_exactly
from neotoma_core.reduce.tombstones import find_deleted_groups
from neotoma_core.reduce.users import choose_groups, no_owners

_NO_SCHEMA_VERSION: Final = "1.0"
_TEXTS: Final = (
    *("id", "entity_type", "schema_version", "observed_at", "observation_source", "fields"),
    *("user_id", "created_at"),
)
_NUMBERS: Final = ("source_priority", "specificity_score")
OBSERVATION: Final = ("entity_id", *_TEXTS, *_NUMBERS, ROWID)
"""The columns that the reducer reads."""


def reduce_entities(
    observations: pl.DataFrame,
    registry: Registry,
    rules: RuleSet,
    owners: pl.DataFrame | None = None,
) -> Reduction:
    """Reduce observations to entity snapshots, one of each entity.

    Args:
        observations: ``Observation`` as stored, every one of each entity, in any row order; ids
            are distinct.
        registry: the active schemas.
        rules: those of a Neotoma release.
        owners: (entity_id, user_id) of the snapshots that are there; users share entities, and
            the row stays that of its user.

    Upstream: observation_reducer.ts, computeSnapshot; for users, messy rules, b.
    """
    known = no_owners("entity_id") if owners is None else as_javascript_reads(owners, ["user_id"])
    ordered = read_in_order(observations)
    return in_slices(ordered, lambda part: _reduce_slice(part, registry, rules, known))


def read_in_order(observations: pl.DataFrame) -> pl.DataFrame:
    """Return observations as JavaScript reads their cells, in the order of a reduction.

    Numbers are doubles, and as they are stored in ``source_priority_cell`` and
    ``specificity_score_cell``; see ``ordering.in_order``.
    """
    cells = observations.select(OBSERVATION)
    read = as_javascript_reads(cells, _TEXTS).with_columns(
        *(pl.col(name).alias(f"{name}_cell") for name in _NUMBERS),
        *(numbers_of(cells[name]) for name in _NUMBERS),
    )
    return in_order(read, "entity_id")


def _reduce_slice(
    ordered: pl.DataFrame, registry: Registry, rules: RuleSet, owners: pl.DataFrame
) -> Reduction:
    """Reduce ordered observations, all those of each entity."""
    objects = take_apart(ordered.select("row", text="fields"))
    readable = ordered.join(objects.unreadable, on="row", how="anti", maintain_order="left")
    every, field_rules = entities_of(readable, registry, rules)
    unusual = every.filter(pl.col("schema").is_in(field_rules.only_exact.implode()))["group"]
    routed = pl.concat([entities_needing_exact(readable, objects.beyond), unusual]).unique()
    is_routed = pl.col("group").is_in(routed.implode())
    in_bulk, entities = readable.filter(~is_routed), every.filter(~is_routed)
    deleted = find_deleted_groups(in_bulk, objects.exploded)
    live = in_bulk.filter(~pl.col("group").is_in(deleted.implode()))
    exact = reduce_entities_exactly(readable.filter(is_routed), registry, rules)
    in_bulk_snapshots = _snapshots(live, objects.exploded, entities, field_rules)
    snapshots = pl.concat([in_bulk_snapshots, exact.snapshots])
    unread = pl.concat([_without_readable(ordered, readable), exact.failed["group"]])
    chosen, unreduced = choose_groups(ordered, "entity_id", snapshots["group"], unread, owners)
    taken = snapshots.filter(pl.col("group").is_in(chosen.implode()))
    return Reduction(
        snapshots=taken.select(*ENTITY_SNAPSHOT),
        deleted=_find_deleted(ordered, taken, unreduced),
        unreadable=ordered.join(objects.unreadable, on="row").select(
            "entity_id", "reason", observation_id="id"
        ),
        unreduced=_ids_of(ordered, unreduced),
        failed=_find_failed(ordered, exact.failed, unreduced),
        schemaless=_schemaless(entities.join(taken.select("group"), on="group", how="semi")),
        exact=len(routed),
    )


def entities_of(
    readable: pl.DataFrame, registry: Registry, rules: RuleSet
) -> tuple[pl.DataFrame, FieldRules]:
    """Return the entities with what the observation read first says, and the rules they need."""
    said = ("entity_type", "schema_version")
    latest = groups_of(readable, "entity_id", "user_id", *said, "observed_at")
    heads = with_heads(latest, readable, said, rules.head)
    field_rules = rules_for(heads.select("entity_type", "user_id").unique(), registry, rules)
    owned = heads.join(field_rules.schemas, on=["entity_type", "user_id"], nulls_equal=True)
    return owned, field_rules


def _snapshots(
    observations: pl.DataFrame, exploded: pl.DataFrame, entities: pl.DataFrame, rules: FieldRules
) -> pl.DataFrame:
    """Return the snapshots of the entities that have observations here."""
    contested = entities.select("group", "schema", contested=pl.col("observation_count") > 1)
    ruled = observations.join(contested, on="group", maintain_order="left")
    stated = field_values(
        ruled.select("row", "group", "source", "contested", "schema"), exploded, rules.fields
    )
    kept = keep_fields(stated.values, ruled, rules)
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
        .select("group", *ENTITY_SNAPSHOT)
    )


def _find_deleted(ordered: pl.DataFrame, taken: pl.DataFrame, unreduced: pl.Series) -> pl.DataFrame:
    """Return the entities that nobody has a snapshot of, though all could be read."""
    others = ordered.filter(~pl.col("subject").is_in(unreduced.implode()))
    return others.select(pl.col("entity_id").unique()).join(taken, on="entity_id", how="anti")


def _ids_of(ordered: pl.DataFrame, subjects: pl.Series) -> pl.DataFrame:
    rows = ordered.filter(pl.col("subject").is_in(subjects.implode()))
    return rows.select(pl.col("entity_id").unique())


def _find_failed(ordered: pl.DataFrame, failed: pl.DataFrame, unreduced: pl.Series) -> pl.DataFrame:
    """Return (entity_id, reason) of the entities without a snapshot on which a reduction fails."""
    left = ordered.filter(pl.col("subject").is_in(unreduced.implode()))
    named = left.select("group", "entity_id").unique().join(failed, on="group")
    return named.sort("entity_id", "group").unique("entity_id", keep="first").select(*FAILED)


def _without_readable(ordered: pl.DataFrame, readable: pl.DataFrame) -> pl.Series:
    """Return the groups none of whose observations can be read."""
    return ordered.join(readable, on="group", how="anti")["group"].unique()


def _schemaless(entities: pl.DataFrame) -> pl.DataFrame:
    """Return (entity_type, entities) of the entities without schema."""
    return (
        entities.filter(pl.col("schema").is_null())
        .group_by("entity_type")
        .agg(entities=pl.len().cast(pl.Int64))
        .sort("entity_type")
    )
