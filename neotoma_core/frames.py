"""The columns Midden adds to frames of stored rows.

They start with an underscore; Neotoma's do not.
"""

from typing import Final

import polars as pl

ROWID: Final = "_rowid"  # the row's number in its own database
ORIGIN: Final = "_origin"  # which database a row comes from: TARGET, or the number of a backup
TARGET_ROWID: Final = "_target_rowid"  # the row's number in the target; NULL where it has none
TARGET: Final = -1

POLARS_TYPES: Final = {"TEXT": pl.String, "INTEGER": pl.Int64, "REAL": pl.Float64}


def values_of(frame: pl.DataFrame) -> list[str]:
    """Return the columns of a frame that come from the database."""
    return [name for name in frame.columns if not name.startswith("_")]
