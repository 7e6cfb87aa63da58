"""What several databases say of one table that Neotoma does not know: one statement, or why not.

The target's own table decides where there is one, else the first backup's. Names are compared as
SQLite does; the first spelling is kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from neotoma_core.neotoma.tables import Column, Table
from neotoma_core.neotoma.tables.carried import affinity, fold_case

OWN_RULES = "the target's table has rules of its own, which rows from elsewhere may break"
DIFFERENT_KEY = "another primary key than where it was first met"
DIFFERENT_TYPES = "columns of other types than where it was first met"
REQUIRED = "the target's table requires values that this one may lack"


@dataclass(frozen=True, slots=True)
class Agreed:
    """One statement of a table, and per backup the reason why its rows do not fit it."""

    table: Table
    refused: Mapping[int, str]


def agree(
    stated: Sequence[tuple[int, Table]], *, in_target: bool, own_rules: bool = False
) -> Agreed:
    """Return one statement of a carried table from those of ``stated``, (origin, facts) in order.

    ``in_target``: the first is the target's. ``own_rules``: that one refuses rows by rules which
    are not in its facts.
    """
    (_, first), *others = stated
    if own_rules:
        return Agreed(first, {number: OWN_RULES for number, _ in others})
    agreed = first if in_target else replace(first, indexes=())
    refused: dict[int, str] = {}
    taken = [first]
    for number, table in others:
        reason = _against(agreed, table, in_target=in_target)
        if reason:
            refused[number] = reason
            continue
        taken.append(table)
        agreed = replace(agreed, columns=(*agreed.columns, *_further(agreed.columns, table)))
    if not in_target:
        agreed = replace(agreed, columns=tuple(relax_required(agreed.columns, taken)))
    return Agreed(agreed, refused)


def further_columns(known: Table, stated: Sequence[Table]) -> tuple[Column, ...]:
    """Return the columns that databases have of one of Neotoma's tables and Neotoma does not know.

    One that they declare differently is declared as nothing, so that its cells stay as they are.
    """
    columns: dict[str, Column] = {}
    for table in stated:
        for column in _further(known.columns, table):
            met = columns.setdefault(fold_case(column.name), column)
            if _affinity(met) != _affinity(column):
                columns[fold_case(column.name)] = replace(met, declared="", default=None)
    return tuple(relax_required(tuple(columns.values()), stated))


def relax_required(columns: Sequence[Column], stated: Sequence[Table]) -> Iterator[Column]:
    """Yield columns, required only where every database that has the table requires them."""
    for column in columns:
        found = [_column(table, column.name) for table in stated]
        yield replace(column, required=all(f is not None and f.required for f in found))


def _against(agreed: Table, table: Table, *, in_target: bool) -> str:
    """Return why the rows of ``table`` cannot be put among those of ``agreed``, if so."""
    if list(map(fold_case, table.key)) != list(map(fold_case, agreed.key)):
        return DIFFERENT_KEY
    for column in agreed.columns:
        other = _column(table, column.name)
        if other is not None and _affinity(other) != _affinity(column):
            return DIFFERENT_TYPES
        lacking = column.default is None if other is None else not other.required
        if in_target and column.required and lacking:
            return REQUIRED
    return ""


def _further(known: Sequence[Column], table: Table) -> Iterator[Column]:
    names = {fold_case(column.name) for column in known}
    for column in table.columns:
        if fold_case(column.name) not in names:
            yield replace(column, required=False)


def _column(table: Table, name: str) -> Column | None:
    return next((c for c in table.columns if fold_case(c.name) == fold_case(name)), None)


def _affinity(column: Column) -> str:
    return affinity(column.type if column.declared is None else column.declared)
