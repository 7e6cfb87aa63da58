"""What is said of a table and of a column."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["log", "registry", "derived", "operational", "personal", "secret", "carried"]
SqlType = Literal["TEXT", "INTEGER", "REAL"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its SQLite type, and what Neotoma promises of it.

    ``default`` is the SQL literal a migration would fill in; ``since`` the first release
    (or day of 2026, before releases) that has the column, None where the first client had it;
    ``refers`` the table whose key its values name; ``sealed`` that column encryption may cover it;
    ``declared`` what a column that Neotoma does not know is declared as, in place of ``type``.
    """

    name: str
    type: SqlType
    required: bool = False
    default: str | None = None
    since: str | None = None
    refers: str | None = None
    sealed: bool = False
    declared: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index; ``only_not_null`` leaves out rows in which any of its columns is NULL.

    ``since``: the first release that has it; None where its table always had it, or a release
    before v0.22.
    """

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    only_not_null: bool = False
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table, of Neotoma's or carried.

    ``key`` is the primary key, empty where a carried table has none; ``match`` what names the same
    row in two databases (the key, unless its ids are random in each database); ``stamps`` the
    columns that only say when or how one database met the row: a row that differs in nothing else
    was sent again; ``stays`` the columns in which a row of the target keeps its own value, whatever
    takes its place; ``credentials`` the columns that ``revoked_at`` revokes. ``rowid`` is the name
    SQL has for the number of a row: no column has that name.
    """

    name: str
    kind: Kind
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("id",)
    match: tuple[str, ...] = ()
    stamps: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    cascades: tuple[tuple[str, str, str], ...] = ()
    autoincrement: bool = False
    since: str | None = None
    rowid: str = "rowid"

    @property
    def names(self) -> tuple[str, ...]:
        """The column names, in the order of a fresh database."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that Neotoma never leaves empty, the key among them."""
        columns = (column.name for column in self.columns if column.required)
        return tuple(dict.fromkeys((*self.key, *columns)))

    @property
    def merged(self) -> bool:
        """Whether a merge carries the rows of this table."""
        return self.kind in ("log", "registry", "carried")

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns by which two databases mean the same row."""
        return self.match or self.key

    def column(self, name: str) -> Column:
        """Return the column called ``name``; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def text(  # noqa: PLR0913 - one keyword a fact, all optional
    name: str,
    *,
    required: bool = False,
    default: str | None = None,
    since: str | None = None,
    refers: str | None = None,
    sealed: bool = False,
) -> Column:
    """Return a TEXT column."""
    return Column(name, "TEXT", required, default, since, refers, sealed)


def texts(*names: str) -> tuple[Column, ...]:
    """Return plain TEXT columns: nullable, there from the first client on, referring to nothing."""
    return tuple(text(name) for name in names)


def integer(
    name: str, *, required: bool = False, default: str | None = None, since: str | None = None
) -> Column:
    """Return an INTEGER column."""
    return Column(name, "INTEGER", required, default, since)


def real(name: str, *, since: str | None = None) -> Column:
    """Return a REAL column."""
    return Column(name, "REAL", since=since)
