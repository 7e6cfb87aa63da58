"""Agreeing on what Neotoma does not know: the tables and columns a recovery carries along.

Every database states its own; here they become one statement per table, by which rows are merged
and the target gains what it lacks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from neotoma_core.merge.accounting import RowCounts
from neotoma_core.merge.carried import Agreed, agree, further_columns
from neotoma_core.neotoma.frames import TARGET, frame_name, frame_table
from neotoma_core.neotoma.tables import BY_NAME, Table
from neotoma_core.neotoma.tables.carried import fold_case
from neotoma_core.sources.extract import Extract, TableExtract

_TAKEN = "the target has something else of this name"


@dataclass(frozen=True, slots=True)
class Carrying:
    """``target`` and ``backups``, in which one table or column has one spelling.

    ``tables``: the facts of every merged table, by name, with the columns it has anywhere; names
    as databases have them.
    """

    target: Extract | None
    backups: tuple[Extract, ...]
    tables: Mapping[str, Table]

    @property
    def carried(self) -> tuple[Table, ...]:
        """The tables that Neotoma does not know, columns called as frames call them."""
        return tuple(frame_table(t) for t in self.tables.values() if t.kind == "carried")

    def count_rows(self, counts: Sequence[RowCounts]) -> tuple[RowCounts, ...]:
        """Return the counts of a merge, and those of every table that is not merged."""
        skipped = {
            (backup.database.number, t.name): RowCounts(
                backup.database.number, t.name, t.read, skipped=t.read, reasons={t.reason: t.read}
            )
            for backup in self.backups
            for t in backup.tables.values()
            if t.read and t.reason
        }
        merged = [count for count in counts if (count.backup, count.table) not in skipped]
        return (*merged, *skipped.values())


def agree_on_tables(extracts: Sequence[Extract], merged: Sequence[Table]) -> Carrying:
    """Return one statement of every merged table; what does not fit it is marked as not merged.

    ``merged``: Neotoma's own tables that are merged.
    """
    ordered = sorted(extracts, key=lambda extract: extract.database.number)
    target = ordered[0] if ordered[0].database.number == TARGET else None
    tables = {known.name: _complete(known, ordered) for known in merged}
    alike = [dict(extract.tables) for extract in ordered]
    for found in _unknown(ordered):
        agreed = _agree(found, target)
        for number, stored in found:
            place = number if target is None else number + 1
            del alike[place][stored.name]
            alike[place][agreed.table.name] = _fitting(stored, agreed, number)
        if any(number != TARGET and number not in agreed.refused for number, _ in found):
            tables[agreed.table.name] = agreed.table
    spelled = [
        replace(extract, tables={name: _respell(t, tables) for name, t in own.items()})
        for extract, own in zip(ordered, alike, strict=True)
    ]
    backups = tuple(e for e in spelled if e.database.number != TARGET)
    return Carrying(spelled[0] if target else None, backups, tables)


def _complete(known: Table, extracts: Sequence[Extract]) -> Table:
    stated = [e.tables[known.name].stored.facts for e in extracts if known.name in e.tables]
    return replace(known, columns=(*known.columns, *further_columns(known, stated)))


def _unknown(extracts: Sequence[Extract]) -> list[list[tuple[int, TableExtract]]]:
    """Return, per table that is to be carried, what each database has under its name."""
    found: dict[str, list[tuple[int, TableExtract]]] = {}
    for extract in extracts:
        for table in extract.tables.values():
            if table.name not in BY_NAME and not table.reason:
                place = (extract.database.number, table)
                found.setdefault(fold_case(table.name), []).append(place)
    return list(found.values())


def _agree(found: Sequence[tuple[int, TableExtract]], target: Extract | None) -> Agreed:
    stated = [(number, table.stored.facts) for number, table in found]
    first, table = found[0]
    in_target = first == TARGET
    if target is not None and not in_target and fold_case(table.name) in target.names:
        return Agreed(table.stored.facts, {number: _TAKEN for number, _ in stated})
    return agree(stated, in_target=in_target, own_rules=in_target and table.stored.own_rules)


def _fitting(table: TableExtract, agreed: Agreed, number: int) -> TableExtract:
    """Return a table under the name agreed on, without its rows where they do not fit."""
    known = replace(table, stored=replace(table.stored, name=agreed.table.name))
    reason = agreed.refused.get(number, "")
    return replace(known, frame=None, broken=0, reason=reason) if reason else known


def _respell(table: TableExtract, tables: Mapping[str, Table]) -> TableExtract:
    """Return a table with its columns spelled as agreed."""
    if table.name not in tables:
        return table
    spelling = {fold_case(name): frame_name(name) for name in tables[table.name].names}
    own = ((frame_name(name), spelling[fold_case(name)]) for name in table.stored.columns)
    return replace(table, renamed={name: agreed for name, agreed in own if name != agreed})
