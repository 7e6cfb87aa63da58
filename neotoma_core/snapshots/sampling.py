"""Which of the snapshots to write are reduced again, row by row, to prove the others."""

from collections.abc import Mapping

import polars as pl

from neotoma_core.reduce.exact.users import NOBODY, Owner
from neotoma_core.snapshots.deciding import Decided
from neotoma_core.snapshots.reading import Rules

Sample = Mapping[str, Owner]
"""Entity to the user of the snapshot that was there before."""


def sample_of(decided: Decided, rules: Rules, entities: pl.Series) -> dict[str, Owner]:
    """Return some written ``entities`` as a sample, less those of a merge of several users."""
    away = rules.merged_away.entities["entity_id"]
    taken = entities.filter(~entities.is_in(away.implode()))
    owners = decided.stored.owners.filter(pl.col("entity_id").is_in(taken.implode()))
    users: dict[str, Owner] = {entity: (user,) for entity, user in owners.iter_rows()}
    return {entity: users.get(entity, NOBODY) for entity in taken}


def spread(written: pl.Series, most: int) -> pl.Series:
    """Return some ``most`` keys, spread over all of them."""
    return written.sort().gather_every(max(1, written.len() // most))
