"""A file that an older midden wrote lacks a column: it is read as a migration would fill it."""

from pathlib import Path

import polars as pl
import pytest

from neotoma_core.archive_tables.reading import (
    ArchivedFile,
    DamagedFile,
    column_types,
    read_file,
)
from neotoma_core.row_versions.columns import SCHEMAS


def older_file(folder: Path, table: str, lacks: str) -> ArchivedFile:
    """Write a file with two rows of a table that lacks a column."""
    columns = {name: kind for name, kind in SCHEMAS[table].items() if name != lacks}
    rows = pl.DataFrame({"id": ["one", "two"]}).select(
        pl.col("id") if name == "id" else pl.lit(None).cast(kind).alias(name)
        for name, kind in columns.items()
    )
    path = folder / "part-0.zstd.parquet"
    rows.write_parquet(path)
    return ArchivedFile(path, path.stat().st_size, rows.height, 0)


@pytest.mark.parametrize(
    ("lacks", "filled"), [("storage_mode", "inline"), ("reference_path", None)]
)
def test_a_column_that_the_file_lacks_has_its_default(
    tmp_path: Path, lacks: str, filled: str | None
) -> None:
    wanted = column_types("sources", None)

    rows = read_file("sources", older_file(tmp_path, "sources", lacks), wanted)

    assert not isinstance(rows, DamagedFile)
    assert dict(rows.schema) == dict(wanted)
    assert rows["id"].to_list() == ["one", "two"]
    assert rows[lacks].to_list() == [filled, filled]
