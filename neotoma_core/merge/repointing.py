"""Giving rows to the entities that stand for their owners, in every database alike.

After this the databases agree on who owns a row wherever merges and splits of entities explain the
difference. Upstream: entity_merge.ts, entity_split.ts (format, 7.3, 7.4).
"""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from neotoma_core.frames import ORIGIN, ROWID, TARGET
from neotoma_core.merge.frames import Offered
from neotoma_core.merge.lineage import Database, Lineage
from neotoma_core.merge.rewriting import move

SELF_LOOP: Final = "an edge from an entity to itself, since entities were merged"
DUPLICATE: Final = "an edge that another has taken the place of, since entities were merged"
_KEY: Final = "relationship_key"


def repointed(databases: Mapping[int, Database], lineage: Lineage) -> dict[int, Database]:
    """Return all databases, by origin, with their rows given to the entities that own them now.

    Edges of a backup that have become edges of an entity to itself, or duplicates, are skipped.
    The target's stay as they are: a merge takes nothing away.
    """
    if not lineage.merges and not lineage.splits:
        return dict(databases)
    result = {origin: dict(database) for origin, database in databases.items()}
    for database in result.values():
        database["entities"] = _with_pointers(database["entities"], lineage)
        database["observations"] = _with_owners(database["observations"], lineage)
    _settle_splits(result, lineage)
    _repoint_edges(result, lineage)
    return dict(result)


def _with_pointers(offered: Offered, lineage: Lineage) -> Offered:
    beside = offered.rows.join(lineage.pointers, on="id", how="inner")
    differs = pl.col("merged_to_entity_id").ne_missing(pl.col("to")) | (
        pl.col("merged_at").ne_missing(pl.col("at"))
    )
    cells = beside.filter(differs).select(ROWID, merged_to_entity_id="to", merged_at="at")
    return move(offered, cells)


def _with_owners(offered: Offered, lineage: Lineage) -> Offered:
    owners = lineage.owners(offered.rows)
    on = ["entity_id", "user_id"]
    owned = offered.rows.select(ROWID, *on).join(owners, on=on, nulls_equal=True)
    return move(offered, owned.select(ROWID, entity_id="owner"))


def _settle_splits(databases: dict[int, dict[str, Offered]], lineage: Lineage) -> None:
    """Where databases still differ on who owns an observation, let the splits decide."""
    if not lineage.splits:
        return
    everywhere = pl.concat(
        database["observations"].rows.select(
            "id", "entity_id", "user_id", ROWID, pl.lit(origin, pl.Int32).alias(ORIGIN)
        )
        for origin, database in databases.items()
    ).drop_nulls("id")
    disputed = everywhere.filter(pl.col("entity_id").n_unique().over("id") > 1)
    decided = [
        (identifier, lineage.latest_owner(owners, users[0]))
        for identifier, owners, users in disputed.group_by("id")
        .agg(pl.col("entity_id").unique(), pl.col("user_id"))
        .iter_rows()
    ]
    latest = pl.DataFrame(decided, schema={"id": pl.String, "owner": pl.String}, orient="row")
    moved = disputed.join(latest.drop_nulls(), on="id").filter(
        pl.col("entity_id") != pl.col("owner")
    )
    for origin, database in databases.items():
        cells = moved.filter(pl.col(ORIGIN) == origin).select(ROWID, entity_id="owner")
        # Who a split gave a row to may have been merged since.
        database["observations"] = _with_owners(move(database["observations"], cells), lineage)


def _repoint_edges(databases: dict[int, dict[str, Offered]], lineage: Lineage) -> None:
    name = "relationship_observations"
    cells = {
        origin: _moved_edges(database[name].rows, lineage) for origin, database in databases.items()
    }
    native = pl.concat(
        database[name].rows.join(cells[origin], on=ROWID, how="anti").select("id", _KEY)
        for origin, database in databases.items()
    )
    undisputed = _undisputed([native, *(moved.select("id", _KEY) for moved in cells.values())])
    for origin, database in databases.items():
        moved = cells[origin]
        loops = moved.filter(pl.col("source_entity_id") == pl.col("target_entity_id"))
        # A row that some database already has under its new key is that row, no duplicate of it.
        others = moved.join(loops, on=ROWID, how="anti").join(native, on=["id", _KEY], how="anti")
        duplicates = others.join(native.join(undisputed, on="id", how="semi"), on=_KEY, how="semi")
        stay = pl.concat([loops, duplicates]).select(ROWID)
        offered = database[name]
        if origin != TARGET:
            offered = offered.without(loops.select(ROWID), SELF_LOOP)
            offered = offered.without(duplicates.select(ROWID), DUPLICATE)
        moving = moved.join(stay, on=ROWID, how="anti", maintain_order="left")
        database[name] = move(offered, moving.drop("id"))


def _undisputed(edges: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return ``id`` of the rows that are of one edge wherever they are: no mode can change that."""
    keys = pl.col(_KEY).n_unique()
    return pl.concat(edges).group_by("id").agg(keys).filter(pl.col(_KEY) == 1).select("id")


def _moved_edges(rows: pl.DataFrame, lineage: Lineage) -> pl.DataFrame:
    """Return ``_rowid``, ``id``, the new key and ends of the edges with an end of a new owner."""
    ends = ("source_entity_id", "target_entity_id")
    found = rows.select(ROWID, "id", "relationship_type", _KEY, "user_id", *ends)
    for end in ends:
        places = rows.select("user_id", entity_id=end)
        owners = lineage.owners(places).rename({"entity_id": end, "owner": f"new_{end}"})
        found = found.join(
            owners, on=[end, "user_id"], how="left", nulls_equal=True, maintain_order="left"
        )
    moved = found.filter(pl.any_horizontal(pl.col(f"new_{end}").is_not_null() for end in ends))
    now = {end: pl.coalesce(f"new_{end}", end) for end in ends}
    derived = _key_of({end: pl.col(end) for end in ends}) == pl.col(_KEY)
    new_key = pl.when(derived).then(_key_of(now)).otherwise(pl.col(_KEY))
    return moved.select(ROWID, "id", new_key.alias(_KEY), **now)


def _key_of(ends: Mapping[str, pl.Expr]) -> pl.Expr:
    parts: Sequence[pl.Expr] = [pl.col("relationship_type"), *ends.values()]
    return pl.concat_str(parts, separator=":")
