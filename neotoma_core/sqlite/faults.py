"""Faults of a database that are there whatever is done with it: rules its rows break, poor indexes.

Who reads a database that has them goes on: no fault that was there before is the run's. Pure.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

FaultKind = Literal["reference", "rule", "index", "damage"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with ``rows`` of a table, in words that go after their number.

    ``table`` is empty for ``damage`` of pages that belong to no table that is known. No stored
    value is in it.
    """

    kind: FaultKind
    table: str
    what: str
    rows: int = 1

    def __str__(self) -> str:
        """Return it as one phrase."""
        if self.kind == "damage":
            return self.what
        return f"{self.table}: {self.rows:,} {self.what}"


def reference_fault(table: str, parent: str, rows: int) -> Fault:
    """Return the fault of rows whose foreign key leads nowhere."""
    return Fault("reference", table, f"rows refer to no row of {parent}", rows)


def faults_in(lines: Iterable[str], owners: Mapping[str, str]) -> tuple[Fault, ...]:
    """Return what the lines of an integrity check say, each fault once, with its rows.

    ``owners``: index → its table.
    """
    found = Counter(fault for line in lines for fault in _faults(line, owners))
    told = {fault.what.rpartition(" index ")[2] for fault in found if _COUNT not in fault.what}
    return tuple(
        Fault(f.kind, f.table, f.what, rows)
        for f, rows in found.items()
        if not (_COUNT in f.what and f.what.removeprefix(_COUNT) in told)
    )


def new_faults(found: Sequence[Fault], known: Sequence[Fault]) -> tuple[Fault, ...]:
    """Return the faults that are not known, with the rows by which they are more."""
    before = {(f.kind, f.table, f.what): f.rows for f in known}
    more = [(f, f.rows - before.get((f.kind, f.table, f.what), 0)) for f in found]
    return tuple(Fault(f.kind, f.table, f.what, rows) for f, rows in more if rows > 0)


def tolerable(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Return the faults with which every row is read as it was written: all but damaged pages."""
    return tuple(fault for fault in faults if fault.kind != "damage")


def is_damage(fault: Fault) -> bool:
    """Return whether it is more than a rule that rows break: pages, or indexes that lack rows."""
    return fault.kind in ("index", "damage")


def _faults(line: str, owners: Mapping[str, str]) -> Iterator[Fault]:
    for pattern, kind, what in _LINES:
        said = pattern.fullmatch(line)
        if said is not None:
            name = said["name"]
            table = owners.get(name, name) if "{name}" in what else name.partition(".")[0]
            column = name.partition(".")[2]
            yield Fault(kind, table, what.format(name=name, column=column))
            return
    if not line.startswith(_NOTHING):
        yield Fault("damage", "", line)


_COUNT: Final = "wrong count of entries of index "
_NOTHING: Final = (
    "ok",
    "*** in database",
    "malformed inverted index for FTS",
    "unable to validate the inverted index for FTS",
)
"""Lines that say nothing: what a virtual table keeps is its module's affair."""
_LINES: Final[tuple[tuple[re.Pattern[str], FaultKind, str], ...]] = (
    (
        re.compile(r"NULL value in (?P<name>.+)", re.DOTALL),
        "rule",
        "rows have NULL in {column}, which must not be",
    ),
    (
        re.compile(r"(?:NUMERIC|TEXT|non-[A-Z]+) value in (?P<name>.+)", re.DOTALL),
        "rule",
        "rows have another type of value in {column} than it is declared with",
    ),
    (
        re.compile(r"CHECK constraint failed in (?P<name>.+)", re.DOTALL),
        "rule",
        "rows break a CHECK of the table",
    ),
    (
        re.compile(r"non-unique entry in index (?P<name>.+)", re.DOTALL),
        "rule",
        "rows repeat a key of index {name}",
    ),
    (
        re.compile(r"row \d+ missing from index (?P<name>.+)", re.DOTALL),
        "index",
        "rows are missing from index {name}",
    ),
    (
        re.compile(
            r"(?:row \d+ values differ from|rowid not at end-of-record for row \d+ of) "
            r"index (?P<name>.+)",
            re.DOTALL,
        ),
        "index",
        "rows differ from index {name}",
    ),
    (
        re.compile(r"wrong # of entries in index (?P<name>.+)", re.DOTALL),
        "index",
        _COUNT + "{name}",
    ),
)
