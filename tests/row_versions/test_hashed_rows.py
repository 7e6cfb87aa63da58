"""What is kept of rows that were hashed keeps no more than itself in memory."""

import gc
import weakref
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from neotoma_core.row_versions.hashed_rows import copy_columns


class Reader:
    """Gives a batch away as SQLite's reader does: its columns are freed together."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        return self._batch.__arrow_c_array__(requested_schema)


@pytest.mark.parametrize(("names", "is_freed"), [(["id"], True), (["id", "large"], False)])
def test_columns_that_are_left_out_are_freed(names: list[str], *, is_freed: bool) -> None:
    large = np.arange(1_000)
    seen = weakref.ref(large)
    batch = pa.record_batch({"id": pa.array(["a"] * 1_000), "large": pa.array(large)})
    rows = pa.Table.from_batches([pa.record_batch(Reader(batch))])
    del large, batch

    kept = copy_columns(rows, names)

    assert kept.equals(rows.select(names))
    del rows
    gc.collect()
    assert (seen() is None) == is_freed
    assert kept.num_rows == 1_000
