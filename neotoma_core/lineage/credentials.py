"""Credentials: one that the target has revoked is not brought back to life by an old copy of it."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from neotoma_core.lineage.lineage import Database
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import SECRET, Table

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


def without_orphans(
    held: Database, offers: Sequence[Database], tables: Sequence[Table]
) -> list[Database]:
    """Return the offers, the rows quarantined whose foreign key leads to no row that will be there.

    Those that the target has, too, say nothing new.
    """
    found = [dict(offer) for offer in offers]
    for table in tables:
        for column, parent, key in table.cascades:
            owners = pl.concat([d[parent].rows.select(pl.col(key)) for d in (held, *offers)])
            for offer in found:
                new = offer[table.name].rows.join(held[table.name].rows, on=table.key, how="anti")
                orphans = new.drop_nulls(column).join(
                    owners, left_on=column, right_on=key, how="anti"
                )
                offer[table.name] = offer[table.name].quarantining(orphans.select(ROWID))
    return [*found]
