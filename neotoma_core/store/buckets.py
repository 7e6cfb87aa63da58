"""Rows on disk in buckets, so that what belongs together can be read without all the rest.

They lie in the scratch of a run and may be lost at any time. A bucket is a folder of Arrow files,
one per part that was added; reading a bucket reads them all.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

_BUCKET: Final = "_bucket"
_FOLDER_MODE: Final = 0o700
_FEW: Final = 8  # more than these wait for the disk, and compressed they wait for less of it


class Buckets:
    """The rows of one table in ``count`` buckets.

    ``schema``: the columns of the rows. Which bucket a row is in is for the caller to say, by the
    same rule for all rows that belong together.
    """

    def __init__(self, folder: Path, count: int, schema: Mapping[str, pl.DataType]) -> None:
        self.count: Final = count
        self._folder: Final = folder
        self._schema: Final = pl.Schema(schema)
        self._parts = 0
        folder.mkdir(mode=_FOLDER_MODE)

    def add(self, rows: pl.DataFrame, bucket: pl.Expr) -> None:
        """Add rows, each to the bucket numbered ``bucket``, from 0."""
        self._parts += 1
        rows = rows.select(self._schema.names())
        if self.count == 1:
            self._write(rows, 0)
            return
        numbered = rows.with_columns(bucket.cast(pl.UInt32).alias(_BUCKET))
        parts = numbered.partition_by(_BUCKET, include_key=False, as_dict=True)
        for (number,), part in parts.items():
            self._write(part, int(str(number)))

    def read(self, number: int) -> pl.DataFrame:
        """Return the rows of one bucket, in no particular order."""
        files = sorted(self._bucket(number).glob("*.arrow"))
        return pl.concat([pl.DataFrame(schema=self._schema), *map(pl.read_ipc, files)])

    def remove(self, number: int) -> None:
        """Remove a bucket that is no longer needed."""
        shutil.rmtree(self._bucket(number), ignore_errors=True)

    def _write(self, rows: pl.DataFrame, number: int) -> None:
        folder = self._bucket(number)
        folder.mkdir(exist_ok=True, mode=_FOLDER_MODE)
        # The older layout keeps only the text that is in these rows, not that of the whole part.
        rows.write_ipc(
            folder / f"{self._parts:06}.arrow",
            compression="lz4" if self.count > _FEW else "uncompressed",
            compat_level=pl.CompatLevel.oldest(),
        )

    def _bucket(self, number: int) -> Path:
        return self._folder / f"{number:05}"
