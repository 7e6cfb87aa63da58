"""The log as rules read it: those that were chosen, and the other known ones.

Rules of two releases read nearly every entity alike. Those that they may read differently are found
by a few facts of their rows, so that only these are reduced again.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from neotoma_core.lineage.merged_away import MergedAway
from neotoma_core.neotoma.frames import as_javascript_reads, is_odd, numbers_of
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.reduce.entities import reduce_entities
from neotoma_core.reduce.exact.rule_sets import RuleSet
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT, Reduction
from neotoma_core.snapshots.choosing import RulesChoice

DIFFERING: Final[dict[str, type[pl.DataType]]] = {"entity_id": pl.String, "rules": pl.String}
"""One row per entity whose snapshot is otherwise, or not there, by the rules of another release."""

_DAY: Final = (
    r"(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31"
)
_WRITTEN_INSTANT: Final = (
    rf"^[0-9]{{4}}-(?:{_DAY})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{{3}}Z$"
)
"""As Neotoma writes times: texts of this form are in the order of the instants they name."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about entity snapshots.

    ``choice``: the rules to reduce by. ``merged_away``: entities that another one stands for.
    """

    registry: Registry
    choice: RulesChoice
    merged_away: MergedAway = field(default_factory=MergedAway)

    @property
    def rules(self) -> RuleSet:
        """The rules to reduce by."""
        return self.choice.rules

    @property
    def others(self) -> tuple[RuleSet, ...]:
        """Further known rules."""
        return self.choice.others

    def reduce_by(self, other: RuleSet) -> "Rules":
        """Return the same with another rule set to reduce by."""
        return replace(self, choice=replace(self.choice, rules=other))

    def without_pointer(self, entity: str) -> "Rules":
        """Return the rules as they are once an entity that was merged away stands for itself."""
        entities = self.merged_away.entities.filter(pl.col("entity_id") != entity)
        return replace(self, merged_away=replace(self.merged_away, entities=entities))


@dataclass(frozen=True, slots=True)
class Otherwise:
    """What other rules make of the entities that they may read differently.

    ``entities``: those. ``snapshots``: the ones there are of them, ``ENTITY_SNAPSHOT``.
    """

    rules: RuleSet
    entities: pl.Series
    snapshots: pl.DataFrame


def read_otherwise(
    observations: pl.DataFrame, rules: Rules, owners: pl.DataFrame
) -> Iterator[Otherwise]:
    """Yield, for every other known rule set, what it makes of what it may read differently."""
    last: Otherwise | None = None
    for other in rules.others:
        asked = may_differ(observations, rules, other).sort()
        if asked.is_empty():
            continue
        if last and asked.equals(last.entities) and _reads_as(other, last.rules, rules.registry):
            last = replace(last, rules=other)
        else:
            own = observations.filter(pl.col("entity_id").is_in(asked.implode()))
            reduction = reduce_live(own, rules.reduce_by(other), owners)
            last = Otherwise(other, asked, reduction.snapshots)
        yield last


def _reads_as(rules: RuleSet, another: RuleSet, registry: Registry) -> bool:
    """Return whether two rule sets are one for what a registry declares."""
    if _types_with(registry, rules.strategies ^ another.strategies):
        return False
    alike = replace(another, name=rules.name, reads=rules.reads, strategies=rules.strategies)
    return rules == alike


def differing(reduction: Reduction, others: Sequence[Otherwise], rules: RuleSet) -> pl.DataFrame:
    """Return ``DIFFERING``: what rules of other releases make otherwise than a reduction."""
    columns = list(ENTITY_SNAPSHOT)
    found = [pl.DataFrame(schema=DIFFERING)]
    for other in others:
        if other.rules.name == rules.name:
            continue
        ours = reduction.snapshots.filter(pl.col("entity_id").is_in(other.entities.implode()))
        pairs = ((ours, other.snapshots), (other.snapshots, ours))
        ids = pl.concat(
            [
                one.join(another, on=columns, how="anti", nulls_equal=True).select("entity_id")
                for one, another in pairs
            ]
        ).unique()
        found.append(ids.select("entity_id", rules=pl.lit(other.rules.name)))
    return pl.concat(found).unique().sort("rules", "entity_id")


def may_differ(observations: pl.DataFrame, rules: Rules, other: RuleSet) -> pl.Series:
    """Return the entities that another rule set may reduce differently; few more than it does.

    ``observations``: every row of each entity, opened.
    """
    this, registry = rules.rules, rules.registry
    types, entity = pl.col("entity_type"), pl.col("entity_id")
    parts = [pl.Series("entity_id", [], dtype=pl.String)]
    if this.redirects != other.redirects:
        away = rules.merged_away.entities["entity_id"]
        parts.append(observations.filter(entity.is_in(away.implode()))["entity_id"])
    if this.head != other.head:
        told = observations.select("entity_id", "entity_type", "schema_version").unique()
        parts.append(told.filter(entity.is_duplicated())["entity_id"])
        no_date = ~pl.col("observed_at").str.contains(_WRITTEN_INSTANT).fill_null(value=False)
        parts.append(observations.filter(no_date)["entity_id"])
    if this.ties != other.ties:
        parts.append(_find_tied(observations.filter(entity.is_duplicated()), registry))
    if unlike := this.strategies ^ other.strategies:
        known = types.is_in(_types_with(registry, unlike)) | is_odd(types)
        parts.append(observations.filter(known)["entity_id"])
    return pl.concat(parts).unique()


def _find_tied(observations: pl.DataFrame, registry: Registry) -> pl.Series:
    """Return the entities with two observations between which the tie-breaker may decide.

    Those are of one priority and one source. Where the tie-breaker is the time, they are of the
    same millisecond, too; a time that is not written as Neotoma writes it may be any.
    """
    entity, time = pl.col("entity_id"), pl.col("observed_at")
    asked = _entities_of(observations, _types_with(registry, {"highest_priority"}))
    rows = observations.filter(entity.is_in(asked.implode()))
    told = as_javascript_reads(rows, ["observation_source"]).select(
        entity,
        time,
        priority=numbers_of(rows["source_priority"]) + 0.0,  # which makes 0 of -0
        source=_source_as_ranked(registry),
    )
    equal = ("entity_id", "priority", "source")
    tied = told.filter(pl.struct(equal).is_duplicated())
    by_id = _types_with(registry, {"highest_priority"}, "source_priority")
    whatever_time = entity.is_in(_entities_of(rows, by_id).implode())
    unsure = ~time.str.contains(_WRITTEN_INSTANT).fill_null(value=False)
    same_time = pl.struct(*equal, "observed_at").is_duplicated()
    return tied.filter(whatever_time | unsure | same_time)["entity_id"]


def _entities_of(observations: pl.DataFrame, types: Collection[str]) -> pl.Series:
    """Return the entities with an observation that may be of one of some types."""
    of = pl.col("entity_type")
    return observations.filter(of.is_in(types) | is_odd(of))["entity_id"].unique()


def _source_as_ranked(registry: Registry) -> pl.Expr:
    """Return a source by its name where every schema ranks it; the others may rank alike."""
    orders = [set(schema.source_order) for schema in registry.schemas.values()]
    ranked = sorted(set.intersection(*orders)) if orders else []
    source = pl.col("observation_source").fill_null("")
    return pl.when(source.is_in(ranked)).then(source)


def _types_with(
    registry: Registry, strategies: Collection[str], tie_breaker: str | None = None
) -> list[str]:
    """Return the types that anybody has a schema of in which a field is picked by a strategy.

    ``tie_breaker``: only those in which it has this one.
    """
    return sorted(
        {
            of
            for (of, _), schema in registry.schemas.items()
            for rule in schema.fields.values()
            if rule.strategy in strategies and tie_breaker in (None, rule.tie_breaker)
        }
    )


def reduce_live(observations: pl.DataFrame, rules: Rules, owners: pl.DataFrame) -> Reduction:
    """Reduce the observations of entities that no other stands for; nothing is compared.

    ``observations``: every one of each entity, opened. ``owners``: see ``reduce_entities``.
    """
    live = rules.merged_away.without(observations, redirects=rules.rules.redirects)
    complete = complete_rows("observations", live)
    return reduce_entities(complete, rules.registry, rules.rules, owners)


def complete_rows(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a log that have all that Neotoma requires, and an id of their own."""
    table = BY_NAME[name]
    complete = rows.drop_nulls([column for column in table.required if column in rows.columns])
    if complete["id"].n_unique() == complete.height:
        return complete
    return complete.unique("id", keep="first", maintain_order=True)
