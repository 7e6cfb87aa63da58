"""Shipping contents and entries: contents first, then the entry that names them.

Invariant: an entry is only there once all that it names is. Contents are called after what they
hold, so what a push that was killed had shipped is found, and not shipped again, unless it was
condemned meanwhile (``remotes/condemned.py``): then it is shipped under another name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from neotoma_core.files.atomic import announce
from neotoma_core.remotes.condemned import Condemned, look_again, names_to_use
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import BLOBS, Entry, entry_bytes
from neotoma_core.remotes.names import blob_name, entry_name
from neotoma_core.remotes.remote import Remote, keep_entry
from neotoma_core.report.progress import Moving, Progress
from neotoma_core.stores.many import do_at_once

STEPS: Final = ("content_shipped", "entry_shipped")
_LARGE: Final = 1 << 20
_MANY: Final = 100


class NumberTaken(Exception):
    """Another push of the same archive made the next entry first: look again."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A content to be shipped: the name its object should have, and the file that holds it."""

    name: str
    path: Path
    size: int


def blob_of(remote: Remote, digest: str, path: Path, size: int) -> Shipment:
    """Return the shipment of a content among the blobs."""
    return Shipment(blob_name(remote.sealing.name_of(digest)), path, size)


def ship_contents(
    remote: Remote, shipments: Iterable[Shipment], scratch: Path, progress: Progress
) -> None:
    """Seal and ship contents, several at a time; what is there already is left as it is."""
    wanted = list(shipments)
    there = set(_names_there(remote, wanted))
    missing = list({one.name: one for one in wanted if one.name not in there}.values())
    progress.begin("upload", sum(one.size for one in missing))

    def ship(one: Shipment) -> None:
        sealed = scratch / one.name.rpartition("/")[2]
        moving = Moving(progress, one.size)
        try:
            remote.sealing.seal_file(one.path, sealed)
            remote.store.create(one.name, sealed, moving.on_bytes)
        finally:
            sealed.unlink(missing_ok=True)
        moving.end()
        announce("content_shipped")

    for _ in do_at_once(ship, missing):
        pass


def ship_entry(remote: Remote, log: Log, entry: Entry) -> Log | None:
    """Ship the next entry of a log; return the log with it, None where another has its number."""
    numbered = replace(entry, number=log.next_number, previous=log.last_hash)
    stored = remote.sealing.seal_entry(entry_bytes(numbered))
    if not remote.store.create(entry_name(log.writer, numbered.number), stored):
        return None
    announce("entry_shipped")
    keep_entry(remote, numbered, stored)
    return log.with_entry(numbered, stored)


class Shipper:
    """Ships the entries of one log, one after the other, and counts what they hold.

    ``blank``: what all of its entries say. ``bytes``: of contents, before they are sealed.
    ``condemned``: as it was when the logs were read; without it, all entries are read first.
    """

    def __init__(  # noqa: PLR0913 - what, where to, and how it is reported
        self,
        remote: Remote,
        log: Log,
        blank: Entry,
        scratch: Path,
        progress: Progress,
        *,
        condemned: Condemned | None = None,
    ) -> None:
        self.remote = remote
        self.log = log
        self.bytes = 0
        self.entries = 0
        self._blank = blank
        self._scratch = scratch
        self._progress = progress
        self._condemned = condemned or look_again(remote, Condemned())

    def ship(self, shipments: list[Shipment], **said: Any) -> None:  # noqa: ANN401 - of an entry
        """Ship contents, and then the entry that says so; raises NumberTaken."""
        renamed = {**self._ship_contents(shipments), **said.pop("renamed", {})}
        said = {"tables": self.log.tables, "renamed": renamed, **said}
        entry = replace(self._blank, **said)
        log = ship_entry(self.remote, self.log, entry)
        if log is None:
            raise NumberTaken
        self.log = log
        self.bytes += sum(one.size for one in shipments)
        self.entries += 1

    def _ship_contents(self, shipments: list[Shipment]) -> dict[str, str]:
        """Ship contents, under other names where theirs are condemned; return those names."""
        if not shipments:
            return {}
        while True:
            condemned = self._condemned.names
            renamed = names_to_use([one.name for one in shipments], condemned)
            named = [replace(one, name=renamed.get(one.name, one.name)) for one in shipments]
            ship_contents(self.remote, named, self._scratch, self._progress)
            self._condemned = look_again(self.remote, self._condemned)
            if self._condemned.names.isdisjoint(one.name for one in named):
                return renamed


def _names_there(remote: Remote, wanted: list[Shipment]) -> Iterator[str]:
    """Yield the names of contents that are there, where it costs less to ask than to ship."""
    folders = {one.name.rpartition("/")[0] for one in wanted if one.size > _LARGE}
    if len(wanted) > _MANY:
        folders = {BLOBS}
    for folder in sorted(folders):
        yield from (stored.name for stored in remote.store.list(f"{folder}/"))
