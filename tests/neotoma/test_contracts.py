"""What is seen without pandera is what pandera says."""

import polars as pl
import pytest
from pandera.errors import SchemaErrors

from neotoma_core.neotoma.contracts import contract_of, is_kept
from neotoma_core.neotoma.frames import empty_rows
from neotoma_core.neotoma.tables import BY_NAME, TABLES, Table


def some_rows(table: Table, number: int = 2) -> pl.DataFrame:
    return pl.DataFrame({name: [f"{name} {n}" for n in range(number)] for name in table.names})


def pandera_keeps(table: Table, rows: pl.DataFrame) -> bool:
    try:
        contract_of(table).validate(rows, lazy=True)
    except SchemaErrors:
        return False
    return True


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_each_contract_is_seen_to_be_kept_or_broken_as_pandera_says(table: Table) -> None:
    good = some_rows(table)
    assert is_kept(table, good)
    for column in table.columns:
        for wrong in (pl.lit(None, pl.String), pl.lit("the same"), pl.lit(1)):
            rows = good.with_columns(wrong.alias(column.name))
            assert is_kept(table, rows) == pandera_keeps(table, rows), column.name
        assert not is_kept(table, good.drop(column.name))
        assert not pandera_keeps(table, good.drop(column.name))


def test_a_table_without_rows_keeps_its_contract() -> None:
    assert is_kept(BY_NAME["observations"], empty_rows(BY_NAME["observations"]))
