"""The state of a database, recomputed from its log: one snapshot of each entity and user.

Users share the ids of entities, and Neotoma keeps one user's snapshot of each. Which one is left
open here: every user's is there, so that nothing that one of them holds is missed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from neotoma_core.entity_view.opening import View
from neotoma_core.neotoma.frames import as_javascript_reads
from neotoma_core.neotoma.times import iso
from neotoma_core.reduce.cut_off import up_to
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT, RELATIONSHIP_SNAPSHOT, Reduction
from neotoma_core.reduce.relationships import reduce_relationships
from neotoma_core.reduce.users import no_owners
from neotoma_core.report.findings import Finding, reduction_fails, unreadable
from neotoma_core.runs.ahead import work_ahead
from neotoma_core.snapshots.reading import Rules, complete_rows, reduce_live

_LISTED: Final = 20
DELETED: Final = {"entity_id": pl.String, "user_id": pl.String}
AWAY: Final = {"entity_id": pl.String, "into": pl.String}


@dataclass(frozen=True, slots=True)
class State:
    """``entities``: ``ENTITY_SNAPSHOT``, one of each entity and user. ``edges``: live ones.

    ``deleted``: (entity_id, user_id). ``away``: (entity_id, into) of what was merged into another.
    """

    entities: pl.DataFrame
    edges: pl.DataFrame
    deleted: pl.DataFrame
    away: pl.DataFrame
    findings: tuple[Finding, ...] = ()


def read_state(view: View) -> State:
    """Recompute the whole state, bucket by bucket; two are under way at a time."""
    rules = rules_at(view)
    entities = [pl.DataFrame(schema=ENTITY_SNAPSHOT)]
    deleted = [pl.DataFrame(schema=DELETED)]
    findings: list[Finding] = list(view.findings)

    def take(number: int) -> list[tuple[Reduction, pl.DataFrame]]:
        rows = up_to(view.read_observations("observations", number), view.end)
        return list(reduce_by_user(rows, rules))

    for bucket in work_ahead(take, view.buckets("observations")):
        for reduction, gone in bucket:
            entities.append(reduction.snapshots)
            deleted.append(gone)
            findings += reduction_findings(reduction)
    return State(
        as_read(pl.concat(entities)),
        live_edges(view),
        pl.concat(deleted),
        find_merged_away(view, rules),
        (*view.findings, *findings[len(view.findings) :][:_LISTED]),
    )


def rules_at(view: View) -> Rules:
    """Return the rules of a view, with the merges that there were where its log ends."""
    rules = view.reading.rules
    return replace(rules, merged_away=rules.merged_away.by(view.end))


def reduce_by_user(
    observations: pl.DataFrame, rules: Rules
) -> Iterator[tuple[Reduction, pl.DataFrame]]:
    """Yield reductions, each with every entity of one user, and (entity_id, user_id).

    The latter are of the entities that were deleted. ``observations``: every one of each entity.
    """
    pairs = observations.select("entity_id", "user_id").unique()
    numbered = pairs.sort("entity_id", "user_id").with_columns(
        _part=pl.int_range(pl.len()).over("entity_id")
    )
    for part in range(int(str(numbered["_part"].max() or 0)) + 1):
        own = numbered.filter(pl.col("_part") == part)
        on = ["entity_id", "user_id"]
        rows = observations
        if numbered.height > own.height:
            rows = observations.join(own, on=on, how="semi", nulls_equal=True)
        reduction = reduce_live(rows, rules, no_owners("entity_id"))
        yield reduction, reduction.deleted.join(own, on="entity_id").select(*DELETED)


def live_edges(view: View, entity: str | None = None) -> pl.DataFrame:
    """Return ``RELATIONSHIP_SNAPSHOT`` of the live relationships: all, or those of an entity."""
    name = "relationship_observations"
    parts = [pl.DataFrame(schema=RELATIONSHIP_SNAPSHOT)]
    ends = ("source_entity_id", "target_entity_id")
    for number in range(view.buckets(name)):
        rows = up_to(view.read_observations(name, number), view.end)
        if entity is not None:
            rows = rows.filter(pl.any_horizontal(pl.col(end) == entity for end in ends))
        complete = complete_rows(name, rows)
        parts.append(reduce_relationships(complete, now=iso(view.reading.started)).snapshots)
    return as_read(pl.concat(parts)).filter(pl.col("is_live") == 1)


def find_merged_away(view: View, rules: Rules) -> pl.DataFrame:
    """Return (entity_id, into) of the entities that another one stands for."""
    entities = view.entities().select(entity_id="id", into="merged_to_entity_id")
    known = rules.merged_away.entities.select("entity_id")
    return entities.drop_nulls().join(known, on="entity_id", how="semi").unique("entity_id")


def reduction_findings(reduction: Reduction) -> Iterator[Finding]:
    """Yield what of a reduction could not be read as Neotoma would."""
    for row in reduction.unreadable.select("observation_id", "reason").head(_LISTED).iter_rows():
        yield unreadable(*row)
    for row in reduction.failed.head(_LISTED).iter_rows():
        yield reduction_fails(*row)


def as_read(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with text as JavaScript reads it: bytes are not text to a reader."""
    texts = [name for name, kind in rows.schema.items() if kind == pl.String]
    return as_javascript_reads(rows, texts)
