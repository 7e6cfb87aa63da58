"""Finding stores that did not finish, in a whole copy of a database and its raw folders.

payloads with their observations → proven whole by hash, or their raw file read → items counted
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from neotoma_core.erased.naming import ENTITIES, SOURCES
from neotoma_core.errors import UsageError
from neotoma_core.files.keys import KeySource, read_key
from neotoma_core.ledger.file import Ledger
from neotoma_core.neotoma.encryption.columns import SEALED_SHAPE
from neotoma_core.neotoma.json import NotJson, instant_ms, parse_json
from neotoma_core.report.unfinished import UnfinishedStore, UnfinishedStores
from neotoma_core.sqlite.inspection import StoredTable
from neotoma_core.unfinished.doubts import Doubt, Doubts
from neotoma_core.unfinished.hollow import hollow_entities
from neotoma_core.unfinished.interpreted import Interpreted
from neotoma_core.unfinished.payload_files import Unread, payload_file, read_payload
from neotoma_core.unfinished.payload_rows import (
    PayloadRow,
    StoredPayloads,
    read_entity_columns,
    read_payloads,
)
from neotoma_core.unfinished.payloads import Extent, Item, count_stored, items_of, proves_payload

if TYPE_CHECKING:
    from neotoma_core.neotoma.encryption.key import DataKey

Reason = Unread | Doubt | Literal["encrypted", "too-many", "not-reached"]

_SEALED: Final = re.compile(SEALED_SHAPE)
_FEW: Final = 64  # observations of interpretations: a payload's own come first
_MANY: Final = 10_000


@dataclass(frozen=True, slots=True)
class StoreLook:
    """Where to look for stores that did not finish.

    ``whole``: a copy of the database ``original``, with the ``tables`` it holds. ``folders``: its
    raw folders. ``key``: where the key of encrypted columns is, if anywhere. ``ledger``: what was
    erased. ``now``: about when the copy was taken. ``most_files``: how many raw files to read at
    most, None for all that are needed.
    """

    whole: Path
    original: Path
    tables: Mapping[str, StoredTable]
    folders: Sequence[Path]
    key: KeySource | None
    ledger: Ledger
    now: datetime
    most_files: int | None = None


def find_unfinished(look: StoreLook) -> UnfinishedStores:
    """Return what stores left that did not finish.

    A key that cannot be used opens nothing. Raises BackupDamaged, BackupUnreadable.
    """
    erased = look.ledger.last_erased_at
    doubts = Doubts(int(look.now.timestamp() * 1000), instant_ms(erased) if erased else None)
    tally = _Tally(look, doubts)
    with read_payloads(look.whole, look.original, look.tables) as stored:
        judge = _Judge(look, stored)
        for row in stored:
            tally.add_payload(row, judge.extent_of(row))
    tally.doubts = replace(doubts, busy_since=min(tally.began, default=None))
    columns = read_entity_columns(look.whole, look.original, look.tables)
    hollow = hollow_entities(columns.entities, columns.observed, columns.merged, columns.split)
    for entity, created_at in hollow.select("id", "created_at").iter_rows():
        tally.add_hollow(entity, created_at)
    return UnfinishedStores(
        tally.payloads,
        tuple(store for store in tally.stores if not store.stored),
        tuple(store for store in tally.stores if store.stored),
        tuple(tally.hollow),
        dict(sorted(tally.unchecked.items())),
    )


@dataclass(slots=True)
class _Tally:
    """What was found so far. ``began``: when stores began that may still be running."""

    look: StoreLook
    doubts: Doubts
    payloads: int = 0
    stores: list[UnfinishedStore] = field(default_factory=list)
    hollow: list[str] = field(default_factory=list)
    began: list[int] = field(default_factory=list)
    unchecked: Counter[str] = field(default_factory=Counter)

    def add_payload(self, row: PayloadRow, extent: "Extent | Reason | None") -> None:
        """Count a payload, and take it down where it is not whole and nothing is in doubt."""
        self.payloads += 1
        if isinstance(extent, str):
            self.unchecked[extent] += 1
        elif extent is not None and not extent.is_whole:
            stated = (statement.created_at for statement in row.statements)
            doubt = self._doubt(SOURCES, row.source, row.created_at, *stated)
            began = instant_ms(row.created_at or "")
            if doubt is None:
                file = payload_file(self.look.folders, row.name)
                store = UnfinishedStore(row.source, extent.stored, extent.items, str(file))
                self.stores.append(store)
            elif doubt == "recent" and began is not None:
                self.began.append(began)

    def add_hollow(self, entity: str, created_at: str | None) -> None:
        """Take down an entity without an observation, where nothing is in doubt."""
        if self._doubt(ENTITIES, entity, created_at) is None:
            self.hollow.append(entity)

    def _doubt(self, kind: str, name: str, *written: str | None) -> Doubt | None:
        """Return why something is not to be named, and count it then."""
        erased = self.look.ledger.erased.among(kind, [name])
        doubt = "erased" if erased else self.doubts.of(*written)
        if doubt is not None:
            self.unchecked[doubt] += 1
        return doubt


class _Judge:
    """Says how much of each payload is stored, and reads raw files only where it must."""

    def __init__(self, look: StoreLook, payloads: StoredPayloads) -> None:
        self._look: Final = look
        self._payloads: Final = payloads
        self._key_source = look.key
        self._key: DataKey | None = None
        self._read = 0
        self._interpreted: Interpreted | None = None

    def extent_of(self, row: PayloadRow) -> Extent | Reason | None:
        """Return how much of a payload is stored, why that cannot be said; None where all is."""
        stated = [
            (statement.entity_type or "", self._plain(statement.fields) or "")
            for statement in row.statements
        ]
        if proves_payload(row.digest, stated):
            return None
        items = self._items(row)
        if isinstance(items, str):
            return items
        if not row.statements:
            return self._extent_by_interpretations(row, items)
        return _extent(items, [self._fields(statement.fields) for statement in row.statements])

    def _extent_by_interpretations(self, row: PayloadRow, items: list[Item]) -> Extent | Reason:
        """Look for the items of a payload without observations among those of interpretations."""
        if self._interpreted is None:
            self._interpreted = Interpreted(self._payloads.find_interpreted())
        near = self._interpreted.after(row.user, row.created_at)
        extent: Extent | Reason = Extent(0, len(items))
        for most in (_FEW, _MANY):
            stated = self._payloads.fields_of(near[:most])
            extent = _extent(items, [self._fields(fields) for fields in stated])
            if isinstance(extent, str) or extent.is_whole or len(near) <= most:
                return extent
        return "too-many"

    def _items(self, row: PayloadRow) -> list[Item] | Reason:
        path = payload_file(self._look.folders, row.name)
        if path is None:
            return "no-file"
        if self._read == self._look.most_files:
            return "not-reached"
        self._read += 1
        content = read_payload(path)
        if isinstance(content, str):
            return content
        try:
            items = items_of(parse_json(content.decode()))
        except (UnicodeDecodeError, NotJson):
            return "unreadable"
        return "unreadable" if items is None else items

    def _fields(self, cell: str | None) -> Item | Reason:
        """Return the fields of an observation, or why they cannot be had."""
        plain = self._plain(cell)
        if plain is None:
            return "unreadable" if cell is None else "encrypted"
        try:
            fields = parse_json(plain)
        except NotJson:
            return "unreadable"
        return fields if isinstance(fields, dict) else "unreadable"

    def _plain(self, cell: str | None) -> str | None:
        """Return a cell opened; None for one that no key opens, and for none."""
        if cell is None or cell.startswith("{") or not _SEALED.fullmatch(cell):
            return cell
        key = self._data_key()
        with suppress(ValueError):  # sealed with another key
            return key.open(cell) if key else None
        return None

    def _data_key(self) -> "DataKey | None":
        """Return the key; None where there is none, or none that can be used."""
        if self._key_source and self._key is None:
            with suppress(UsageError):
                self._key = read_key(self._key_source)
            self._key_source = None
        return self._key


def _extent(items: Sequence[Item], stated: Sequence[Item | Reason]) -> Extent | Reason:
    """Count the items that are stored; an observation that cannot be read may be any of them."""
    known = [fields for fields in stated if not isinstance(fields, str)]
    stored = count_stored(items, known)
    if stored is None:
        return "too-many"
    hindrance = next((fields for fields in stated if isinstance(fields, str)), None)
    return hindrance if hindrance and stored < len(items) else Extent(stored, len(items))
