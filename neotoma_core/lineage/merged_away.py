"""Entities that another one stands for, and whose observations went with them."""

from dataclasses import dataclass, field, replace

import polars as pl

from neotoma_core.neotoma.times import Instants, instants

_ENTITIES = {"entity_id": pl.String, "merged_at": pl.String}
_USERS = {"entity_id": pl.String, "user_id": pl.String}


@dataclass(frozen=True, slots=True)
class MergedAway:
    """``entities``: (entity_id, merged_at) of those with a pointer to another.

    ``users``: (entity_id, user_id) of whoever merged them. A merge moves the observations of the
    user who merges; those of others stay, and have a snapshot (messy rules, b). Of an entity
    without such a row nobody's observations count.
    """

    entities: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_ENTITIES))
    users: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_USERS))

    def by(self, end: Instants) -> "MergedAway":
        """Return those that were another's already at ``end``.

        A merge without a readable time counts as one of always.
        """
        limits = [limit for limit in (end.observed, end.known) if limit is not None]
        if not limits:
            return self
        later = instants(self.entities["merged_at"]) > min(limits)
        return replace(self, entities=self.entities.filter(~later.fill_null(value=False)))

    def without(self, observations: pl.DataFrame, *, redirects: bool) -> pl.DataFrame:
        """Return observations without those on an entity that was merged away; order kept.

        Where the rules of the release redirect, nobody's count.
        """
        if self.entities.is_empty():
            return observations
        if redirects:
            return observations.join(
                self.entities, on="entity_id", how="anti", maintain_order="left"
            )
        named = self.users.drop_nulls("user_id")
        own = observations.join(self.entities, on="entity_id", how="anti", maintain_order="left")
        left = observations.join(self.entities, on="entity_id", how="semi").join(
            named.select("entity_id"), on="entity_id", how="semi"
        )
        others = left.drop_nulls("user_id").join(named, on=["entity_id", "user_id"], how="anti")
        return pl.concat([own, others]) if others.height else own
