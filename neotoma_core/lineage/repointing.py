"""Giving rows to the entities that stand for their owners, in every database alike.

After this the databases agree on who owns a row wherever merges and splits of entities explain the
difference. Upstream: entity_merge.ts, entity_split.ts (format, 7.3, 7.4; messy rules, e).
"""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from neotoma_core.lineage.lineage import Database, Lineage
from neotoma_core.lineage.offers import Offered
from neotoma_core.lineage.rewriting import move
from neotoma_core.neotoma.frames import ORIGIN, ROWID

SELF_LOOP: Final = "an edge from an entity to itself, since entities were merged"
EDGES: Final = "relationship_observations"

_KEY: Final = "relationship_key"
_ENDS: Final = ("source_entity_id", "target_entity_id")


def repoint(
    databases: Mapping[int, Database], lineage: Lineage, precedence: Sequence[int]
) -> dict[int, Database]:
    """Return all databases, by origin, with their rows given to the entities that own them now.

    Edges that have become edges of an entity to itself leave; equal edges stay, as further
    observations of one edge. ``precedence``: the origins, those whose rows win first.
    """
    if not lineage.pointers and not lineage.splits and not lineage.cleared:
        return dict(databases)
    result = {origin: dict(database) for origin, database in databases.items()}
    parted = _find_parted(databases, lineage, precedence)
    for origin, database in result.items():
        own = parted.filter(pl.col(ORIGIN) == origin)
        database["entities"] = _with_pointers(database["entities"], lineage)
        database["observations"] = _with_owners(database["observations"], own, lineage)
        database[EDGES] = _without_loops(_with_ends(database[EDGES], lineage))
    return dict(result)


def _with_pointers(offered: Offered, lineage: Lineage) -> Offered:
    """Let the rows of merged entities say what stands, and those of a cleared pointer nothing."""
    rows = [(entity, p.to, p.at) for entity, p in lineage.pointers.items()]
    schema = {"id": pl.String, "_to": pl.String, "_at": pl.String}
    standing = pl.DataFrame(rows, schema=schema, orient="row")
    to = pl.col("merged_to_entity_id")
    cleared = pl.DataFrame(
        list(lineage.cleared), schema={"id": pl.String, "merged_to_entity_id": pl.String},
        orient="row",
    ).join(standing, on="id", how="anti")  # fmt: skip
    emptied = offered.rows.join(cleared, on=["id", "merged_to_entity_id"], how="semi")
    beside = offered.rows.join(standing, on="id", how="inner")
    differs = to.ne_missing(pl.col("_to")) | pl.col("merged_at").ne_missing(pl.col("_at"))
    nothing = pl.lit(None, dtype=pl.String)
    cells = pl.concat(
        [
            beside.filter(differs).select(ROWID, merged_to_entity_id="_to", merged_at="_at"),
            emptied.select(ROWID, merged_to_entity_id=nothing, merged_at=nothing),
        ]
    )
    return move(offered, cells)


def _with_owners(offered: Offered, parted: pl.DataFrame, lineage: Lineage) -> Offered:
    """Give observations to their owners. ``parted``: (_rowid, owner) of those a split decides."""
    on = ["entity_id", "user_id"]
    placed = offered.rows.select(ROWID, *on).join(
        parted.select(ROWID, "owner"), on=ROWID, how="left"
    )
    now = placed.select(
        ROWID, "user_id", was="entity_id", entity_id=pl.coalesce("owner", "entity_id")
    )
    owned = now.join(lineage.owners(now), on=on, how="left", nulls_equal=True)
    final = owned.select(ROWID, "was", entity_id=pl.coalesce("owner", "entity_id"))
    return move(
        offered, final.filter(pl.col("was") != pl.col("entity_id")).select(ROWID, "entity_id")
    )


def _find_parted(
    databases: Mapping[int, Database], lineage: Lineage, precedence: Sequence[int]
) -> pl.DataFrame:
    """Return (_origin, _rowid, owner) of observations that splits give to another than they say.

    Asked where databases still differ on who owns a row once merges are followed.
    """
    schema = {ORIGIN: pl.Int32, ROWID: pl.Int64, "owner": pl.String}
    if not lineage.splits:
        return pl.DataFrame(schema=schema)
    everywhere = pl.concat(
        databases[origin]["observations"].rows.select(
            "id", "entity_id", "user_id", ROWID, pl.lit(origin, pl.Int32).alias(ORIGIN)
        )
        for origin in precedence
    ).drop_nulls("id")
    owners = lineage.owners(everywhere)
    rooted = everywhere.join(
        owners, on=["entity_id", "user_id"], how="left", nulls_equal=True, maintain_order="left"
    ).with_columns(root=pl.coalesce("owner", "entity_id"))
    disputed = rooted.filter(pl.col("root").n_unique().over("id") > 1).drop("owner")
    decided = [
        (identifier, lineage.split_owner(list(dict.fromkeys(said)), users[0]))
        for identifier, said, users in disputed.group_by("id", maintain_order=True)
        .agg("root", "user_id")
        .iter_rows()
    ]
    latest = pl.DataFrame(decided, schema={"id": pl.String, "owner": pl.String}, orient="row")
    parted = disputed.join(latest.drop_nulls(), on="id")
    return parted.filter(pl.col("entity_id") != pl.col("owner")).select(*schema)


def _with_ends(offered: Offered, lineage: Lineage) -> Offered:
    """Give edges to the entities that stand for their ends, under the key that these make."""
    rows = offered.rows.select(ROWID, "relationship_type", _KEY, "user_id", *_ENDS)
    found = rows
    for end in _ENDS:
        places = rows.select("user_id", entity_id=end)
        owners = lineage.owners(places).rename({"entity_id": end, "owner": f"new_{end}"})
        found = found.join(
            owners, on=[end, "user_id"], how="left", nulls_equal=True, maintain_order="left"
        )
    moved = found.filter(pl.any_horizontal(pl.col(f"new_{end}").is_not_null() for end in _ENDS))
    now = {end: pl.coalesce(f"new_{end}", end) for end in _ENDS}
    derived = _key_of({end: pl.col(end) for end in _ENDS}) == pl.col(_KEY)
    new_key = pl.when(derived).then(_key_of(now)).otherwise(pl.col(_KEY))
    return move(offered, moved.select(ROWID, new_key.alias(_KEY), **now))


def _without_loops(offered: Offered) -> Offered:
    """Leave out the edges that have become edges of an entity to itself."""
    start, end = _ENDS
    moved = offered.rewritten.filter(pl.col("column").is_in(_ENDS)).select(ROWID).unique()
    loops = offered.rows.join(moved, on=ROWID, how="semi").filter(pl.col(start) == pl.col(end))
    return offered.without(loops.select(ROWID), SELF_LOOP)


def _key_of(ends: Mapping[str, pl.Expr]) -> pl.Expr:
    parts: Sequence[pl.Expr] = [pl.col("relationship_type"), *ends.values()]
    return pl.concat_str(parts, separator=":")
