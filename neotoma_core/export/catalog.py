"""The catalog of an export: what is in which file, and what could not be typed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from neotoma_core.export.entities import FieldColumn
from neotoma_core.neotoma.json import JsonValue

FORMAT: Final = 1
KIND: Final = "midden export"


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """One file of an export. ``entity_type``: of the entities in it, where it has some.

    ``untyped``: values that stayed text, by column.
    """

    name: str
    file: str
    rows: int
    columns: tuple[tuple[str, str], ...]
    untyped: Mapping[str, int]
    entity_type: str | None = None
    fields: tuple[FieldColumn, ...] = ()


def columns_of(schema: Mapping[str, pl.DataType]) -> tuple[tuple[str, str], ...]:
    """Return (column, type) as a catalog names types."""
    return tuple((name, type_name(kind)) for name, kind in schema.items())


def type_name(kind: pl.DataType) -> str:
    """Return the name of a type."""
    if isinstance(kind, pl.Datetime):
        return "timestamp (UTC)"
    if isinstance(kind, pl.List):
        return "list of string"
    names = {"String": "string", "Float64": "float", "Int64": "integer", "Boolean": "boolean"}
    return names.get(str(kind), str(kind).lower())


def table_entry(table: ExportedTable) -> JsonValue:
    """Return what the catalog says of one table."""
    fields = {column.column: column.field for column in table.fields}
    columns: list[JsonValue] = [
        {
            "name": name,
            "type": kind,
            "field": fields.get(name),
            "untyped": table.untyped.get(name, 0),
        }
        for name, kind in table.columns
    ]
    return {
        "name": table.name,
        "file": table.file,
        "entity_type": table.entity_type,
        "rows": table.rows,
        "columns": columns,
    }


def view_names(tables: Sequence[ExportedTable]) -> tuple[tuple[str, ExportedTable], ...]:
    """Return each table with what it is called in SQL; an entity type gives way to the others.

    Case does not count there, and not every name can be: a type that cannot have its own name, nor
    the same after ``entities_``, is called as its file.
    """
    fixed = [table for table in tables if table.entity_type is None]
    types = [table for table in tables if table.entity_type is not None]
    spellings = Counter(table.name.lower() for table in types)
    views = [(table.name, table) for table in fixed]
    taken = {name.lower() for name, _ in views}
    for table in types:
        own = table.name if spellings[table.name.lower()] == 1 and _is_name(table.name) else None
        options = [own, f"entities_{own}"] if own else []
        options += [table.file + "_" * more for more in range(len(tables))]
        view = next(option for option in options if option.lower() not in taken)
        taken.add(view.lower())
        views.append((view, table))
    return tuple(views)


def _is_name(text: str) -> bool:
    return bool(text) and text.isprintable()
