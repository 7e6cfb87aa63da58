"""Hashes of rows that were computed before, by a hash that is quicker and less lasting.

Most rows of a log are the same in every run. Two keyed hashes of Polars recognise a row, in a
fraction of the time its lasting hash takes. It is a note, not part of the archive: it may be
deleted at any time, is started over with another version of Polars, and states only that a content
has a hash. The keys are random, so that nobody can write a row that passes for another.
"""

import secrets
import shutil
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.errors import NativePanic, VaultDamaged, without_panic
from neotoma_core.files.exact_paths import read_ipc, write_ipc
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.row_versions.columns import ROW_HASH
from neotoma_core.vault.folder import read_json, write_json

FOLDER: Final = ".known"
QUICK: Final[dict[str, pl.DataType]] = {"_quick": pl.UInt64(), "_quicker": pl.UInt64()}
_SEEDS: Final = 2
_BITS: Final = 48  # of a seed, which JSON keeps exactly


class KnownHashes:
    """The notes next to one archive; nothing is written before ``keep``."""

    def __init__(self, archive: Path) -> None:
        self._folder = archive / FOLDER
        self._noted: dict[str, pl.DataFrame] = {}
        self._seeds = self._read_seeds()
        self._is_new = self._seeds is None
        if self._seeds is None:
            self._seeds = [secrets.randbits(_BITS) for _ in range(_SEEDS)]

    def has(self, table: str) -> bool:
        """Return whether any hash of a table's rows is known."""
        return not self._is_new and self._file(table).is_file()

    def quick(self, rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """Return the two quick hashes of every row: all of its cells, reals by their bits."""
        first, second = (rows.hash_rows(seed=seed) for seed in self._seeds or (0, 0))
        return first.alias("_quick"), second.alias("_quicker")

    def look_up(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows with the ``_row_hash`` that is known of each; null of the others."""
        file = self._file(table)

        def join() -> pl.DataFrame:
            return rows.join(read_ipc(file), on=list(QUICK), how="left", maintain_order="left")

        try:
            return without_panic(str(file), join)
        except (pl.exceptions.PolarsError, OSError, NativePanic):
            return rows.with_columns(pl.lit(None, pl.String).alias(ROW_HASH))

    def note(self, table: str, rows: pl.DataFrame, *, new: int) -> None:
        """Note the hashes of a table's rows, ``new`` of them not known before."""
        if new:
            self._noted[table] = rows.select(*QUICK, ROW_HASH).unique(list(QUICK), keep="any")

    def keep(self) -> None:
        """Write down what was noted; a note that cannot be written is skipped."""
        try:
            if self._is_new:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder.mkdir(mode=0o700)
                seeds: list[JsonValue] = [*(self._seeds or [])]
                described: JsonValue = {"polars": pl.__version__, "seeds": seeds}
                write_json(self._folder / "seeds.json", described)
            for table, rows in self._noted.items():
                temporary = self._folder / f".{table}.tmp"
                write_ipc(rows, temporary, compression="uncompressed")
                temporary.replace(self._file(table))
        except OSError:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _file(self, table: str) -> Path:
        return self._folder / f"{table}.arrow"

    def _read_seeds(self) -> list[int] | None:
        path = self._folder / "seeds.json"
        try:
            described = read_json(path) if path.is_file() else None
        except VaultDamaged:
            return None
        if not isinstance(described, dict) or described.get("polars") != pl.__version__:
            return None
        seeds = described.get("seeds")
        if not isinstance(seeds, list) or len(seeds) != _SEEDS:
            return None
        numbers = [seed for seed in seeds if isinstance(seed, int) and 0 <= seed < 1 << 64]
        return numbers if len(numbers) == _SEEDS else None
