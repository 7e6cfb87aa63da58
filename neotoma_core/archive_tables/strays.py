"""What a Parquet file is that no commit of a table names. Pure.

A run that was killed leaves such files, and so does a table that lost a commit, or a program that
keeps copies of what it could not merge.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import polars as pl

from neotoma_core.row_versions.columns import ARCHIVED_AT, ROW_HASH

Kind = Literal["copied", "uncommitted", "unexplained"]

_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OWN_NAME: Final = re.compile(rf"part-(?:\d{{5}}-{_UUID}-c\d{{3}}|{_UUID})\.zstd\.parquet")
_TEMPORARY: Final = re.compile(r"(?:part-|_commit_|\d{20}\.).*(?:#\d+|\.json\.tmp)")


@dataclass(frozen=True, slots=True)
class Stray:
    """One such file.

    ``kind``: all its rows are in the table too (copied); they are later than all that the table
    committed, so a run that was killed wrote them (uncommitted); or neither is so. ``lacking``: how
    many of its rows the table does not have; ``new``: not even archived at another moment.
    ``is_own``: whether it can be read and has a name as midden gives them.
    """

    path: Path
    kind: Kind
    lacking: int = 0
    new: int = 0
    is_own: bool = False

    @property
    def is_needless(self) -> bool:
        """Whether a killed run left it and nothing that it holds would go with it."""
        return self.kind != "unexplained" and not self.new

    @property
    def is_repeated(self) -> bool:
        """Whether a run of midden wrote it, and each of its rows is in the table, if later."""
        return self.is_own and not self.new


def judge_stray(path: Path, rows: pl.DataFrame | None, there: pl.DataFrame, until: int) -> Stray:
    """Say what a file is. ``rows``: what it holds, None where it cannot be read.

    ``rows``, ``there``: (_row_hash, _archived_at), of the file and of the table. ``until``: the
    moment up to which the table had committed, in microseconds UTC.
    """
    if rows is None:
        return Stray(path, "unexplained")
    lacking = rows.join(there, on=[ROW_HASH, ARCHIVED_AT], how="anti").height
    new = rows.join(there, on=ROW_HASH, how="anti").height
    later = rows.select((pl.col(ARCHIVED_AT).dt.epoch("us") > until).all()).item()
    kind: Kind = "uncommitted" if later else "unexplained"
    is_own = _OWN_NAME.fullmatch(path.name) is not None
    if not is_own:
        kind = "unexplained"
    elif not lacking:
        kind = "copied"
    return Stray(path, kind, lacking, new, is_own)


def is_temporary(name: str) -> bool:
    """Return whether a file has a name that is only used until it is whole."""
    return _TEMPORARY.fullmatch(name) is not None
