"""What an archive is on a store: which objects it has, by their names.

::

    archive.json                    as in a folder; written once, by the run that began the archive
    signs/<number>.json             a later ``archive.json``; the one of the highest number counts
    committed/archive.json          the id of the archive; written once, before all else
    committed/<table>/<version>.json    what the tables had committed once this version of this
                                    table was, as ``committed.json`` in a folder
    <table>/_delta_log/<version>.json   an entry of the log of a Delta table
    <table>/part-*.parquet          its files

Numbers and versions have 20 digits. No object is ever changed. The archive of a folder has the same
tables; its ``committed.json``, which changes, is a row of objects here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from neotoma_core.archive_tables.tables import DESCRIPTION
from neotoma_core.row_versions.columns import SCHEMAS
from neotoma_core.stores.store import StoredObject

RECORDS: Final = "committed"
BEGUN: Final = f"{RECORDS}/{DESCRIPTION}"
PROBES: Final = "probe/"
LOG: Final = "_delta_log"
NONE: Final = -1

_SIGNS: Final = re.compile(r"signs/(\d{20})\.json")
_RECORD: Final = re.compile(rf"{RECORDS}/(\w+)/(\d{{20}})\.json")
_ENTRY: Final = re.compile(rf"(\w+)/{LOG}/(\d{{20}})\.(json|checkpoint\.parquet)")
_DATA: Final = re.compile(r"(\w+)/[A-Za-z0-9_.-]+\.parquet")

Objects = Mapping[str, StoredObject]


@dataclass(frozen=True, slots=True)
class Listing:
    """The objects of an archive, by name. ``unknown``: those that belong to no archive.

    ``records``: by table, the newest version that was recorded. ``versions``: by table, the newest
    that its log has.
    """

    every: Objects = field(default_factory=dict)
    signs: Objects = field(default_factory=dict)
    records: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    entries: Objects = field(default_factory=dict)
    data: Objects = field(default_factory=dict)
    begun: bool = False
    described: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def is_archive(self) -> bool:
        """Whether a run began an archive there, or what one leaves is left."""
        return self.begun or self.described or bool(self.records or self.entries)

    @property
    def newest_signs(self) -> str | None:
        """The name of the object that says what the archive is; None where there is none."""
        newest = max(self.signs, default=None)
        return newest or (DESCRIPTION if self.described else None)

    @property
    def newest_records(self) -> tuple[str, ...]:
        """The names of the objects that say what was committed: the newest of each table."""
        begun = (BEGUN,) if self.begun else ()
        return (*begun, *(record_name(*known) for known in self.records.items()))


def list_objects(records: Iterable[StoredObject], others: Iterable[StoredObject]) -> Listing:
    """Sort the objects below the address of an archive.

    ``records``: those of ``committed/``, listed before all ``others``. So no log is read that is
    older than what is recorded of it.
    """
    of_records = {one.name: one for one in records}
    every = {one.name: one for one in others if not one.name.startswith(f"{RECORDS}/")}
    kinds = {name: _kind(name) for name in (*of_records, *every)}
    newest: dict[str, dict[str, int]] = {"record": {}, "entry": {}}
    for name, kind in kinds.items():
        if kind in newest:
            table, version = _version(name)
            newest[kind][table] = max(version, newest[kind].get(table, NONE))
    return Listing(
        every={**of_records, **every},
        signs={name: one for name, one in every.items() if kinds[name] == "signs"},
        records=newest["record"],
        versions=newest["entry"],
        entries={n: one for n, one in every.items() if kinds[n] in ("entry", "checkpoint")},
        data={name: one for name, one in every.items() if kinds[name] == "data"},
        begun=BEGUN in of_records,
        described=DESCRIPTION in every,
        unknown=tuple(sorted(name for name, kind in kinds.items() if not kind)),
    )


def _kind(name: str) -> str:
    """Return what an object is, by its name; nothing for what no archive has."""
    if name in (DESCRIPTION, BEGUN) or name.startswith(PROBES):
        return "other"
    if _SIGNS.fullmatch(name):
        return "signs"
    for pattern, kind in ((_RECORD, "record"), (_ENTRY, "entry"), (_DATA, "data")):
        found = pattern.fullmatch(name)
        if found and found[1] in SCHEMAS:
            return "checkpoint" if name.endswith(".checkpoint.parquet") else kind
    return ""


def _version(name: str) -> tuple[str, int]:
    found = _RECORD.fullmatch(name) or _ENTRY.fullmatch(name)
    return (found[1], int(found[2])) if found else ("", NONE)


def record_name(table: str, version: int) -> str:
    """Return the name of the object that records a version of a table."""
    return f"{RECORDS}/{table}/{version:020}.json"


def entry_name(table: str, version: int) -> str:
    """Return the name of an entry of the log of a table."""
    return f"{table}/{LOG}/{version:020}.json"


def signs_name(listing: Listing) -> str:
    """Return the name of the next object that says what an archive is."""
    if not listing.described and not listing.signs:
        return DESCRIPTION
    numbers = (int(found[1]) for name in listing.signs if (found := _SIGNS.fullmatch(name)))
    return f"signs/{max(numbers, default=0) + 1:020}.json"
