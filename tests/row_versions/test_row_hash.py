"""The hash of a row is the same in ten years."""

import hashlib
import struct

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.neotoma.frames import POLARS_TYPES
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.row_versions.columns import ARCHIVED, ODD, ROW_HASH
from neotoma_core.row_versions.hashed_rows import hash_frame
from neotoma_core.row_versions.row_hash import tell_apart

CELLS = {
    "TEXT": st.text(max_size=8),
    "INTEGER": st.integers(-(2**63), 2**63 - 1),
    "REAL": st.floats(allow_nan=False),
}


def as_documented(row: dict[str, object]) -> str:
    """The hash by the words of ``row_versions/row_hash.py``, written again."""
    image = b""
    for name in sorted(row):
        cell = row[name]
        if isinstance(cell, str):
            raw = cell.encode()
            image += f"{name}=t{len(raw)}:".encode() + raw
        elif isinstance(cell, float):
            (bits,) = struct.unpack("<q", struct.pack("<d", cell))
            image += f"{name}=r{bits}".encode()
        elif cell is not None:
            image += f"{name}=i{cell}".encode()
    return hashlib.sha256(image).hexdigest()[:32]


def rows_of(table: Table) -> st.SearchStrategy[list[dict[str, object]]]:
    cells = {c.name: st.none() | CELLS[c.type] for c in table.columns} | {ODD: st.none()}
    return st.lists(st.fixed_dictionaries(cells), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ARCHIVED).flatmap(lambda t: st.tuples(st.just(t), rows_of(t))))
def test_it_is_what_the_document_says(case: tuple[Table, list[dict[str, object]]]) -> None:
    table, rows = case
    schema = {c.name: POLARS_TYPES[c.type] for c in table.columns} | {ODD: pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    assert hash_frame(table, frame).to_list() == [as_documented(row) for row in rows]


def test_a_column_that_a_newer_neotoma_adds_changes_no_hash() -> None:
    table = BY_NAME["entity_merges"]
    row: dict[str, object] = dict.fromkeys((*table.names, ODD))
    frame = pl.DataFrame([{**row, "id": "m"}], schema=dict.fromkeys(row, pl.String))
    frame = frame.with_columns(pl.col("observations_rewritten").cast(pl.Int64))
    assert hash_frame(table, frame).to_list() == [as_documented({"id": "m"})]


def test_rows_that_are_all_the_same_are_told_apart_by_their_order() -> None:
    rows = pl.DataFrame({"_rowid": [3, 1, 2], ROW_HASH: ["h", "h", "g"]})
    told = tell_apart(rows).sort("_rowid")[ROW_HASH].to_list()
    second = hashlib.sha256(b"h#2").hexdigest()[:32]
    assert told == ["h", "g", second]
