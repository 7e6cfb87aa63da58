"""SQL that builds a Neotoma database, derived from the table facts. Pure text."""

from collections.abc import Iterable, Iterator

from neotoma_core.neotoma.cells import ODD, sql_of_literal, text_literal
from neotoma_core.neotoma.json import stringify
from neotoma_core.neotoma.tables import Column, Index, Table
from neotoma_core.neotoma.versions import SETTLED, tables_at


def quote(name: str) -> str:
    """Return ``name`` as an SQL identifier."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def literal(name: str) -> str:
    """Return the expression of a cell as an SQL literal, a text: NULL where the cell is NULL.

    SQLite's ``quote`` stops at a NUL within a text; such a text is spelled by its bytes.
    """
    cell = quote(name)
    bytewise = f"'CAST(' || quote(CAST({cell} AS BLOB)) || ' AS TEXT)'"
    return (
        f"CASE WHEN {cell} IS NULL THEN NULL WHEN typeof({cell}) = 'text' "
        f"AND instr(CAST({cell} AS BLOB), x'00') THEN {bytewise} ELSE quote({cell}) END"
    )


def is_among(column: str, cells: Iterable[str]) -> str:
    """Return the condition that a column holds one of some cells; see ``cells``."""
    plain: list[str] = []
    others: list[str] = []
    for cell in cells:
        (others if cell.startswith(ODD) or "\0" in cell else plain).append(cell)
    listed = stringify(list(plain)).replace("'", "''")
    among = f"{quote(column)} IN (SELECT value FROM json_each('{listed}'))"
    if not others:
        return among
    return f"({among} OR {quote(column)} IN ({', '.join(map(literal_of, others))}))"


def literal_of(cell: str) -> str:
    """Return a cell of text as an SQL literal; raises NotALiteral."""
    if not cell.startswith(ODD):
        return text_literal(cell.encode())
    literal_text = cell.removeprefix(ODD)
    sql_of_literal(literal_text)
    return literal_text


def column_list(names: Iterable[str]) -> str:
    """Return names as a comma-separated list of identifiers."""
    return ", ".join(quote(name) for name in names)


def create_table(table: Table) -> str:
    """Return the statement that creates one table."""
    lines = [_definition(table, column) for column in table.columns]
    if table.kind == "carried" and table.key:
        lines.append(f"PRIMARY KEY ({column_list(table.key)})")
    lines += [f"UNIQUE ({column_list(columns)})" for columns in table.unique]
    lines += [
        f"FOREIGN KEY ({quote(column)}) REFERENCES {quote(other)} ({quote(key)}) ON DELETE CASCADE"
        for column, other, key in table.cascades
    ]
    return f"CREATE TABLE {quote(table.name)} ({', '.join(lines)})"


def create_index(table: Table, index: Index) -> str:
    """Return the statement that creates one secondary index."""
    unique = "UNIQUE " if index.unique else ""
    statement = (
        f"CREATE {unique}INDEX IF NOT EXISTS {quote(index.name)} "
        f"ON {quote(table.name)} ({column_list(index.columns)})"
    )
    if not index.only_not_null:
        return statement
    present = " AND ".join(f"{quote(column)} IS NOT NULL" for column in index.columns)
    return f"{statement} WHERE {present}"


def add_column(table: str, column: Column) -> str:
    """Return the statement a migration would use to add one column."""
    return f"ALTER TABLE {quote(table)} ADD COLUMN {_declare(column)}"


def create_database(release: str = SETTLED) -> Iterator[str]:
    """Yield the statements that make an empty database as a release makes it."""
    for table in tables_at(release):
        yield create_table(table)
        for index in table.indexes:
            yield create_index(table, index)


def _definition(table: Table, column: Column) -> str:
    if (column.name,) != table.key or table.kind == "carried":
        return _declare(column)
    increment = " AUTOINCREMENT" if table.autoincrement else ""
    return f"{quote(column.name)} {column.type} PRIMARY KEY{increment}"


def _declare(column: Column) -> str:
    required = " NOT NULL" if column.required else ""
    default = f" DEFAULT {column.default}" if column.default is not None else ""
    declared = column.type if column.declared is None else column.declared
    return f"{quote(column.name)} {declared}".rstrip() + f"{required}{default}"
