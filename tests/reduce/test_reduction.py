"""Reducing slice by slice."""

import polars as pl
import pytest

from neotoma_core.reduce import reduction
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT, Reduction, in_slices

ORDERED = pl.DataFrame({"subject": [0, 0, 1, 2, 3, 3], "entity_id": list("aabcdd")})


def reduce_slice(part: pl.DataFrame) -> Reduction:
    ids = part.select(pl.col("entity_id").unique(maintain_order=True))
    return Reduction(
        snapshots=pl.DataFrame(schema=ENTITY_SNAPSHOT),
        deleted=ids,
        unreadable=part,
        unreduced=ids,
        schemaless=pl.DataFrame({"entity_type": ["note"], "entities": [ids.height]}),
        exact=1,
    )


def test_slices_are_put_together_in_order_and_counts_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduction, "_SLICE_ROWS", 2)
    whole = in_slices(ORDERED, reduce_slice)
    assert whole.deleted["entity_id"].to_list() == list("abcd")
    assert whole.unreadable.equals(ORDERED)
    assert whole.schemaless.rows() == [("note", 4)]
    assert whole.exact == 3


def test_few_observations_are_one_slice() -> None:
    assert in_slices(ORDERED, reduce_slice).exact == 1
