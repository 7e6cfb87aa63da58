"""Rows in buckets, so that what belongs together can be read without all the rest.

They are in memory while they are few. Whenever they are more, all of them go to the disk: into the
scratch of a run, where they may be lost at any time. There a bucket is a folder of Arrow files, one
for each time that happened; reading a bucket reads them all.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.files.exact_paths import read_ipc, write_ipc

_BUCKET: Final = "_bucket"
_FOLDER_MODE: Final = 0o700
_HELD_BYTES: Final = 128 << 20  # of one table, in memory
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
        self._held: dict[int, list[pl.DataFrame]] = {}
        self._held_bytes = 0
        self._spills = 0
        folder.mkdir(mode=_FOLDER_MODE)

    def add(self, rows: pl.DataFrame, bucket: pl.Expr) -> None:
        """Add rows, each to the bucket numbered ``bucket``, from 0."""
        rows = rows.select(self._schema.names())
        for number, part in self._cut(rows, bucket):
            self._held.setdefault(number, []).append(part)
        self._held_bytes += int(rows.estimated_size())
        if self._held_bytes > _HELD_BYTES:
            self._spill()

    def read(self, number: int) -> pl.DataFrame:
        """Return the rows of one bucket, in no particular order."""
        files = sorted(self._bucket(number).glob("*.arrow"))
        held = self._held.get(number, [])
        return pl.concat([pl.DataFrame(schema=self._schema), *map(read_ipc, files), *held])

    def remove(self, number: int) -> None:
        """Remove a bucket that is no longer needed."""
        self._held.pop(number, None)
        shutil.rmtree(self._bucket(number), ignore_errors=True)

    def _cut(self, rows: pl.DataFrame, bucket: pl.Expr) -> Iterator[tuple[int, pl.DataFrame]]:
        if self.count == 1:
            yield 0, rows
            return
        numbered = rows.with_columns(bucket.cast(pl.UInt32).alias(_BUCKET))
        parts = numbered.partition_by(_BUCKET, include_key=False, as_dict=True)
        for (number,), part in parts.items():
            yield int(str(number)), part

    def _spill(self) -> None:
        """Move all rows in memory to the disk."""
        self._spills += 1
        for number in list(self._held):
            self._write(pl.concat(self._held.pop(number)), number)
        self._held_bytes = 0

    def _write(self, rows: pl.DataFrame, number: int) -> None:
        folder = self._bucket(number)
        folder.mkdir(exist_ok=True, mode=_FOLDER_MODE)
        # The older layout keeps only the text that is in these rows, not that of all buckets.
        write_ipc(
            rows,
            folder / f"{self._spills:06}.arrow",
            compression="lz4" if self.count > _FEW else "uncompressed",
            compat_level=pl.CompatLevel.oldest(),
        )

    def _bucket(self, number: int) -> Path:
        return self._folder / f"{number:05}"
