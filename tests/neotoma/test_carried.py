"""What is taken from what a database declares: words, numbers and literals, and no more."""

import math
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neotoma_core.neotoma.ddl import create_table, literal
from neotoma_core.neotoma.tables import Table
from neotoma_core.neotoma.tables.carried import (
    describe_column,
    fold_case,
    make_printable,
    owner_of,
    row_number_of,
)

DECLARED = (
    *("", "TEXT", "text", "INTEGER", "INT", "BIGINT", "VARCHAR(20)", "DOUBLE PRECISION"),
    *("DECIMAL(10, 5)", "BLOB", "REAL", "BOOLEAN", "JSON", "STRING", "FLOATING POINT", "POINT"),
    *("CHARINT", "anything at all", "TEXT) ; DROP TABLE x; --", "TEXT DEFAULT 1", 'odd "type"'),
)
CELLS = ("'5'", "5", "5.0", "'5.0'", "x'35'", "NULL", "'a'", "1e3", "'1e3'")


@pytest.mark.parametrize("declared", DECLARED)
def test_cells_are_in_a_carried_column_what_they_were(declared: str) -> None:
    """SQLite itself says what a column makes of cells, by the type as stated and as carried."""
    column = describe_column("c", declared, None, required=False)
    table = Table("carried", "carried", (column,), key=())
    with closing(sqlite3.connect(":memory:")) as connection:
        escaped = declared.replace('"', '""')
        connection.execute(
            f'CREATE TABLE stated (c "{escaped}")' if declared else "CREATE TABLE stated (c)"
        )
        connection.execute(create_table(table))
        for name in ("stated", "carried"):
            for cell in CELLS:
                connection.execute(f"INSERT INTO {name} VALUES ({cell})")
        stated, carried = (
            connection.execute(f"SELECT typeof(c), c FROM {name}").fetchall()
            for name in ("stated", "carried")
        )
    assert stated == carried
    assert column.declared in (declared, "INT", "TEXT", "", "REAL", "NUMERIC")


@pytest.mark.parametrize(
    ("default", "kept"),
    [
        ("1", "1"),
        ("-2.5", "-2.5"),
        ("'it''s'", "'it''s'"),
        ("x'00ff'", "x'00ff'"),
        ("TRUE", "TRUE"),
        (None, None),
        ("evil(1)", None),
        ("'a' || 'b'", None),
        ("CURRENT_TIMESTAMP", None),
        ("'a', evil", None),
        ("'" + "a" * 300 + "'", None),
    ],
)
def test_only_a_literal_is_taken_for_a_default(default: str | None, kept: str | None) -> None:
    assert describe_column("c", "TEXT", default, required=False).default == kept


def test_names_are_compared_as_sqlite_compares_them() -> None:
    assert fold_case("ÄbC") == "Äbc"
    assert row_number_of(["RowID", "a"]) == "_rowid_"
    assert row_number_of(["rowid", "OID", "_RowId_"]) is None
    assert owner_of("Notes_data", ["x", "notes"]) == "notes"
    assert owner_of("notes", ["notes"]) is None
    assert make_printable("a\x1b[2J\u202eb\n") == "a\ufffd[2J\ufffdb\ufffd"


@given(
    st.one_of(
        st.none(),
        st.integers(-(2**63), 2**63 - 1),
        # Beyond these SQLite 3.40 misreads the last digit of what it wrote itself.
        st.floats(-1e280, 1e280, allow_subnormal=False).filter(lambda f: not 0 < abs(f) < 1e-280),
        st.text(),
        st.binary(),
    )
)
def test_a_literal_says_the_cell_exactly(cell: object) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (c)")
        try:
            connection.execute("INSERT INTO t VALUES (?)", (cell,))
        except UnicodeEncodeError:
            return
        (text,) = connection.execute(f"SELECT {literal('c')} FROM t").fetchone()
        (back,) = connection.execute(
            f"SELECT {text or 'NULL'} IS c AND typeof({text or 'NULL'}) = typeof(c) FROM t"
        ).fetchone()
    assert back == 1


@given(st.floats(allow_infinity=False, allow_nan=False))
def test_numbers_next_to_each_other_have_different_literals(number: float) -> None:
    following = math.nextafter(number, math.inf)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (c)")
        connection.executemany("INSERT INTO t VALUES (?)", [(number,), (following,)])
        texts = connection.execute(f"SELECT {literal('c')} FROM t").fetchall()
    assert len(set(texts)) == 2 or number == following
