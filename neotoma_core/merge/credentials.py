"""Credentials: one that the target has revoked is not brought back to life by an old copy of it."""

from typing import Final

import polars as pl

from neotoma_core.frames import ROWID
from neotoma_core.merge.lineage import Database
from neotoma_core.tables import SECRET

REVOKED: Final = "a credential that the target has revoked"


def without_revoked(offered: Database, target: Database) -> Database:
    """Return ``offered`` without the credentials, under whatever id, that ``target`` revoked.

    The rows of the target itself stay as they are in every mode.
    """
    result = dict(offered)
    for table in SECRET:
        name = table.name
        if name not in offered:
            continue
        held = target[name].rows
        revoked = held.filter(pl.col("revoked_at").is_not_null()) if table.credentials else held
        for column in table.credentials:
            values = revoked[column].drop_nulls()
            rows = result[name].rows.join(held, on=table.key, how="anti")
            same = rows.filter(pl.col(column).is_in(values.implode()))
            result[name] = result[name].without(same.select(ROWID), REVOKED)
    return result
