"""The schemas that a registry ever had: what a stored snapshot may have been reduced by."""

from collections.abc import Mapping, Sequence

import polars as pl

from neotoma_core.neotoma.schemas import Registry


def past_schemas(rows: pl.DataFrame) -> Mapping[str, Sequence[Registry]]:
    """Return, by entity type, a registry for each schema in ``schema_registry``, and an empty one.

    ``rows``: of that table, as cells.
    """
    found: dict[str, list[Registry]] = {}
    for row in rows.iter_rows(named=True):
        alone = Registry.from_rows([{**row, "active": "1", "scope": "global"}])
        if alone.schemas:
            found.setdefault(str(row["entity_type"]), [Registry()]).append(alone)
    return found
