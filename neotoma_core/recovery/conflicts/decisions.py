"""Reading what a user decided of conflicts: the file of an earlier plan, edited."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.errors import UsageError
from neotoma_core.files.frames import read_records
from neotoma_core.lineage.lineage import Database
from neotoma_core.merge.decisions import DECISIONS, SOURCE_SIDE, TARGET_SIDE
from neotoma_core.merge.table import key_texts
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.runs.run import DatabaseRef

_REQUIRED: Final = ("backup", "table", "key")
_BY_MODE: Final = "mode"
_HOW: Final = "nothing was changed; start from the conflicts.jsonl of a plan and edit only keep"
_ON: Final = ["backup", "table", "key"]


def read_decisions(path: Path | None, backups: Sequence[DatabaseRef]) -> pl.DataFrame:
    """Return the decisions in a Parquet or JSON file; none where no file is named.

    One record per row in conflict: ``backup`` (its label), ``table``, ``key``, ``keep``, which is
    ``target``, ``source``, or null where nothing is decided. What the mode decided (``by``) nobody
    did. Raises UsageError.
    """
    if path is None:
        return DECISIONS.to_frame()
    numbers = {backup.label: backup.number for backup in backups}
    rows = []
    for place, record in enumerate(read_records(path), start=1):
        wrong = _wrong(record, numbers)
        if wrong or not isinstance(record, dict):
            raise UsageError(f"{path}: record {place}: {wrong}; {_HOW}")
        if record.get("keep") is not None and record.get("by") != _BY_MODE:
            cells = [str(record[name]) for name in ("table", "key", "keep")]
            rows.append((numbers[str(record["backup"])], *cells))
    return pl.DataFrame(rows, schema=DECISIONS, orient="row")


def require_rows(path: Path | None, decisions: pl.DataFrame, offered: Sequence[Database]) -> None:
    """Raise UsageError where decisions are about rows that their backup does not have."""
    strangers = 0
    for (number, name), part in decisions.partition_by("backup", "table", as_dict=True).items():
        held = offered[int(str(number))].get(str(name))
        if held is None or str(name) not in BY_NAME:
            strangers += part.height if held is None else 0
            continue
        keys = key_texts(BY_NAME[str(name)], held.rows)
        strangers += part.filter(~pl.col("key").is_in(keys.implode())).height
    if strangers:
        raise UsageError(
            f"{path}: {strangers:,} of its decisions are about rows that the backup does not have; "
            f"{_HOW}"
        )


def as_decisions(
    decided: Sequence[tuple[str, str, str, str]], backups: Sequence[DatabaseRef]
) -> pl.DataFrame:
    """Return decisions by label, table and key as ``DECISIONS``; of backups that take part."""
    numbers = {backup.label: backup.number for backup in backups}
    rows = [(numbers[label], *cells) for label, *cells in decided if label in numbers]
    return pl.DataFrame(rows, schema=DECISIONS, orient="row")


def without_conflict(decisions: pl.DataFrame, conflicts: pl.DataFrame) -> pl.DataFrame:
    """Return the decisions that are about none of some conflicts."""
    return decisions.join(conflicts, on=_ON, how="anti")


def require_conflicts(path: Path, strange: pl.DataFrame) -> None:
    """Raise UsageError where there are decisions about rows that are not in conflict."""
    if strange.height:
        tables = ", ".join(sorted(strange["table"].unique()))
        raise UsageError(
            f"{path}: {strange.height:,} of its decisions, of {tables}, are about rows that are "
            f"not in conflict; {_HOW}"
        )


def _wrong(record: object, backups: dict[str, int]) -> str:
    """Return what is wrong with a record; nothing where it can be used. Repeats no value of it."""
    if not isinstance(record, dict):
        return "not an object"
    missing = [name for name in _REQUIRED if not isinstance(record.get(name), str)]
    if missing:
        return f"{', '.join(missing)} must be text"
    if record["backup"] not in backups:
        return "its backup takes no part in this run"
    if record.get("keep") not in (None, TARGET_SIDE, SOURCE_SIDE):
        return f"keep must be {TARGET_SIDE}, {SOURCE_SIDE} or null"
    return ""
