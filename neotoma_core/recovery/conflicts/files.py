"""The files in which a recovery keeps what somebody may have to decide, one entry per row.

``conflicts``: rows with one key and different values, with the values of both sides;
``reingested``: the entities of observations that were sent again. Each as JSON lines and as
Parquet, which say the same. They lie in the vault, beside copies of the databases themselves, and
are the user's alone. What is encrypted in a database is not told, and no credential is.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.files.atomic import write_file
from neotoma_core.files.frames import write_parquet
from neotoma_core.files.private import make_folders
from neotoma_core.lineage.offers import Offered
from neotoma_core.merge.table import key_texts
from neotoma_core.neotoma.cells import javascript_text
from neotoma_core.neotoma.frames import TARGET, values_of
from neotoma_core.neotoma.json import JsonValue, parse_json, stringify
from neotoma_core.neotoma.tables import Table
from neotoma_core.recovery.plan import RecoveryPlan

CONFLICTS_FILE: Final = "conflicts.jsonl"
REINGESTED_FILE: Final = "reingested.jsonl"
DECISION: Final = "decision"
_CONFLICT: Final = {
    "backup": pl.String,
    "table": pl.String,
    "key": pl.String,
    "keep": pl.String,
    "by": pl.String,
    "otherwise": pl.String,
    "because": pl.String,
    "against": pl.String,
    "columns": pl.List(pl.String),
    "values": pl.List(pl.Struct({"column": pl.String, "target": pl.String, "source": pl.String})),
}
_REINGESTED: Final = {
    "table": pl.String,
    "key": pl.String,
    "entity_type": pl.String,
    "observations": pl.List(pl.String),
    "differs": pl.Boolean,
    "values": pl.List(pl.Struct({"field": pl.String, "kept": pl.String, "other": pl.String})),
}
_Cells = Mapping[str, str | None]


def save_conflicts(plan: RecoveryPlan) -> None:
    """Keep all conflicts, and the entities of what was sent again, before anybody is asked."""
    if plan.merge.conflicts.height:
        _save(plan.report_folder / CONFLICTS_FILE, list(_conflicts(plan)), _CONFLICT)
    if plan.reingested.entities.height:
        _save(plan.report_folder / REINGESTED_FILE, list(_lines_of_reingested(plan)), _REINGESTED)


def conflicts_file(plan: RecoveryPlan) -> str | None:
    """Return where all conflicts are kept; None where there are none."""
    return str(plan.report_folder / CONFLICTS_FILE) if plan.merge.conflicts.height else None


def place_of_reingested(plan: RecoveryPlan) -> str | None:
    """Return where the entities of what was sent again are kept; None where there are none."""
    return str(plan.report_folder / REINGESTED_FILE) if plan.reingested.entities.height else None


def _save(path: Path, records: list[dict[str, JsonValue]], schema: Mapping[str, object]) -> None:
    make_folders(path.parent)
    frame = pl.DataFrame(records, schema=dict(schema), orient="row")  # type: ignore[arg-type]
    write_parquet(frame, path.with_suffix(".parquet"))
    lines = "".join(f"{stringify(_readable(record))}\n" for record in records)
    write_file(path, lines.encode())


def _readable(record: dict[str, JsonValue]) -> JsonValue:
    """Return a record in which values that are JSON documents stand as such, not as text."""
    values = record["values"]
    if not isinstance(values, list):
        return record
    told: list[JsonValue] = [
        {name: _parse(cell) for name, cell in value.items()}
        for value in values
        if isinstance(value, dict)
    ]
    return {**record, "values": told}


def _parse(cell: JsonValue) -> JsonValue:
    if not isinstance(cell, str) or cell[:1] not in ("{", "["):
        return cell
    try:
        return parse_json(cell)
    except ValueError:
        return cell


def _conflicts(plan: RecoveryPlan) -> Iterator[dict[str, JsonValue]]:
    """Yield the conflicts in their order. Only what somebody decided has something to ``keep``."""
    merge, labels = plan.merge, plan.labels
    safe = plan.request.mode == "safe"
    parts = merge.conflicts.partition_by("backup", "table", maintain_order=True, as_dict=True)
    for (number, name), part in parts.items():
        table = merge.tables[str(name)].table
        keys = part["key"].to_list()
        theirs = _rows(table, merge.offers[int(str(number))][table.name], keys)
        ours = {
            origin: _rows(table, merge.offers[origin][table.name], keys)
            for origin in sorted(merge.offers)
            if origin < int(str(number))
        }
        for row in part.iter_rows(named=True):
            key, because = row["key"], row["by"]
            against = next((origin for origin, rows in ours.items() if key in rows), TARGET)
            decided = because == DECISION
            yield {
                "backup": labels[row["backup"]],
                "table": table.name,
                "key": key,
                "keep": row["keep"] if decided else None,
                "by": DECISION if decided else None,
                "otherwise": None if decided or (safe and because == "mode") else row["keep"],
                "because": None if decided else because,
                "against": labels[against],
                "columns": row["columns"],
                "values": _sides(
                    plan, table, row["columns"], ours.get(against, {}).get(key), theirs.get(key)
                ),
            }


def _rows(table: Table, offered: Offered, keys: list[str]) -> dict[str, _Cells]:
    """Return the rows of some keys that a database offers, the first of each."""
    keyed = offered.rows.with_columns(key_texts(table, offered.rows).alias("_key"))
    wanted = keyed.filter(pl.col("_key").is_in(keys)).unique(
        "_key", keep="first", maintain_order=True
    )
    names = values_of(offered.rows)
    return {row["_key"]: {n: row[n] for n in names} for row in wanted.iter_rows(named=True)}


def _sides(
    plan: RecoveryPlan, table: Table, columns: list[str], ours: _Cells | None, theirs: _Cells | None
) -> list[JsonValue] | None:
    """Return the values of both sides; None where they are not to be shown."""
    if not plan.request.values or table.kind == "secret":
        return None
    sealed = {column.name for column in table.columns if column.sealed} if plan.sealed else set()
    return [
        {"column": name, "target": _cell(ours, name), "source": _cell(theirs, name)}
        for name in columns
        if name not in sealed
    ]


def _cell(row: _Cells | None, name: str) -> str | None:
    cell = (row or {}).get(name)
    return None if cell is None else javascript_text(cell)


def _lines_of_reingested(plan: RecoveryPlan) -> Iterator[dict[str, JsonValue]]:
    for row in plan.reingested.entities.iter_rows(named=True):
        told = plan.request.values and not plan.sealed
        yield {
            "table": "entities",
            "key": row["entity_id"],
            "entity_type": row["entity_type"],
            "observations": row["observations"],
            "differs": row["differs"],
            "values": _fields(row["kept"], row["other"]) if told else None,
        }


def _fields(kept: str | None, other: str | None) -> list[JsonValue]:
    """Return the fields in which two snapshots of one entity differ, as JSON texts."""
    one, another = ({} if text is None else parse_json(text) for text in (kept, other))
    if not isinstance(one, dict) or not isinstance(another, dict):
        return []
    return [
        {"field": name, "kept": _text(one, name), "other": _text(another, name)}
        for name in dict.fromkeys([*one, *another])
        if one.get(name) != another.get(name) or (name in one) != (name in another)
    ]


def _text(snapshot: Mapping[str, JsonValue], name: str) -> str | None:
    return stringify(snapshot[name]) if name in snapshot else None
