"""Keeping a record of every snapshot that is not what the log says."""

from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.files.frames import parquet_parts, read_frame, write_frame
from neotoma_core.rebuild.deciding import Bucket
from neotoma_core.rebuild.report import SHOWN_DRIFT
from neotoma_core.snapshots.drift import DRIFT
from neotoma_core.vault.folder import RunFolders

_FILE: Final[dict[str, pl.DataType]] = {"table": pl.String(), **DRIFT}


class DriftRecord:
    """All drift of a run in a file of its own, and the first of each kind at hand."""

    def __init__(self, folders: RunFolders) -> None:
        self.first = pl.DataFrame(schema=_FILE)
        self.file: Path | None = None
        self._path: Path = folders.report / "drift.parquet"
        self._parts: list[Path] = []
        self._work: Path = folders.work

    def add(self, bucket: Bucket) -> None:
        """Record the drift of one bucket."""
        drift = bucket.drift.with_columns(table=pl.lit(bucket.decided.table.name))
        if drift.is_empty():
            return
        drift = drift.select(*_FILE)
        both = pl.concat([self.first, drift])
        self.first = both.filter(pl.int_range(pl.len()).over("table", "kind") < SHOWN_DRIFT)
        part = self._work / f"drift-{len(self._parts):05}.arrow"
        write_frame(drift, part)
        self._parts.append(part)

    def keep(self) -> None:
        """Keep all drift in the vault, if there is any."""
        if not self._parts:
            return
        with parquet_parts(self._path, _FILE) as write:
            for part in self._parts:
                write(read_frame(part))
                part.unlink()
        self.file = self._path
