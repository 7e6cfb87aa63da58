"""Publishing what a run appended to a mirror, so that of several runs at once none loses anything.

Invariants. An entry of a log is created on the store only if there is none of its number: it is the
commit, and of several writers one makes it. The entry was decided on with all entries before it,
since numbers leave no gap: whoever comes second decides again, with what the first one committed.
A record never says more than the logs that are on the store.

Order: the id of the archive → what it is of → for each table: files → entry → record. So a run that
is killed leaves every table old or new; what it left besides are files that no entry names, and a
record that is missing, which the next run adds.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from neotoma_core.archive_mirror.layout import (
    BEGUN,
    LOG,
    NONE,
    entry_name,
    record_name,
    signs_name,
)
from neotoma_core.archive_mirror.mirror import Synced, keep_published
from neotoma_core.archive_tables.committed import Committed
from neotoma_core.archive_tables.record import Record, seal_record
from neotoma_core.archive_tables.tables import DESCRIPTION, open_archive
from neotoma_core.errors import ArchiveBusy, RemoteError, done_besides
from neotoma_core.files.atomic import announce
from neotoma_core.neotoma.json import stringify
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import SCHEMAS
from neotoma_core.stores.many import do_at_once
from neotoma_core.stores.opening import probe
from neotoma_core.stores.store import Store

STEPS: Final = (
    "archive_begun",
    "archive_described",
    "files_published",
    "entry_published",
    "record_published",
)
_AT_ONCE: Final = 2  # a large file goes in several parts at once by itself


@dataclass(frozen=True, slots=True)
class _New:
    """What a mirror has that the store has not, of one table.

    ``entries``: the numbers of its commits. ``state``: what is to be recorded, if anything.
    """

    table: str
    files: tuple[Path, ...] = ()
    entries: tuple[int, ...] = ()
    checkpoints: tuple[Path, ...] = ()
    state: Committed | None = None

    def __bool__(self) -> bool:
        return bool(self.entries or self.state)


@dataclass(slots=True)
class _Publishing:
    synced: Synced
    known: Record
    done: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.synced.mirror.store

    def create(self, name: str, content: bytes) -> None:
        """Create an object; raises ArchiveBusy where another run did."""
        if not self.store.create(name, content):
            raise ArchiveBusy(self.synced.mirror.folder)
        self.done.append(name)


def publish(synced: Synced, progress: Progress, told: Callable[[str], object] = str) -> int:
    """Create on the store what the mirror has gained since; return how many commits those are.

    ``told``: called with each table that was committed to.

    Raises ArchiveBusy where another run committed to a table since: what of this run was not
    published by then is not, and has to be decided again. Raises RemoteError, before anything is
    written, where the store would let two writers win.
    """
    mirror, listing = synced.mirror, synced.listing
    archive = open_archive(mirror.folder)
    described = (mirror.folder / DESCRIPTION).read_bytes()
    own = archive.record or Record()
    news = [new for name in SCHEMAS if (new := _find_new(synced, name, own.tables.get(name)))]
    is_told = described == synced.described
    if not news and is_told:
        return 0
    probe(mirror.store)
    publishing = _Publishing(synced, synced.record or replace(own, tables={}))
    progress.begin("publish", len(news))
    if not listing.begun and archive.record:
        publishing.create(BEGUN, _seal(publishing.known))
        announce("archive_begun")
    if not is_told:
        publishing.create(signs_name(listing), described)
        announce("archive_described")
    for new in news:
        _publish_table(publishing, new)
        if new.entries:
            told(new.table)
        progress.advance(1)
    keep_published(mirror, publishing.done)
    return sum(len(new.entries) for new in news)


def _find_new(synced: Synced, table: str, state: Committed | None) -> _New:
    folder, listing = synced.mirror.folder / table, synced.listing
    last = listing.versions.get(table, NONE)
    log = folder / LOG
    entries = sorted(int(path.stem) for path in log.glob("[0-9]*.json") if path.stem.isdecimal())
    files = sorted(folder.glob("*.parquet"))
    checkpoints = sorted(log.glob("[0-9]*.checkpoint.parquet"))
    is_recorded = state is None or state.version <= listing.records.get(table, NONE)
    return _New(
        table,
        tuple(path for path in files if f"{table}/{path.name}" not in listing.data),
        tuple(number for number in entries if number > last),
        tuple(p for p in checkpoints if f"{table}/{LOG}/{p.name}" not in listing.entries),
        None if is_recorded else state,
    )


def _publish_table(publishing: _Publishing, new: _New) -> None:
    """Publish one table; files that were sent in vain are removed, where that is allowed."""
    store, log = publishing.store, publishing.synced.mirror.folder / new.table / LOG
    sent: list[str] = []
    try:
        sent.extend(_send(store, new) if new.entries else ())
        announce("files_published")
        for number in new.entries:
            content = (log / f"{number:020}.json").read_bytes()
            publishing.create(entry_name(new.table, number), content)
            done_besides("the rows that were appended to the archive")
            announce("entry_published")
    except ArchiveBusy:
        for name in sent:
            with suppress(RemoteError):  # it may not be allowed: verify names what stays
                store.delete(name)
        raise
    publishing.done += sent
    for path in new.checkpoints:  # of use to readers; another run may have made the same
        if store.create(f"{new.table}/{LOG}/{path.name}", path):
            publishing.done.append(f"{new.table}/{LOG}/{path.name}")
    if new.state:
        known = publishing.known
        publishing.known = replace(known, tables={**known.tables, new.table: new.state})
        # One who was killed after its entry is recorded by whoever comes next, in the same words.
        store.create(record_name(new.table, new.state.version), _seal(publishing.known))
        announce("record_published")


def _send(store: Store, new: _New) -> Iterator[str]:
    """Send the files of a table; yield the name of each once it is there."""
    named = {f"{new.table}/{path.name}": path for path in new.files}
    create = partial(_create_file, store, named)
    for name, _ in do_at_once(create, named, _AT_ONCE):
        yield name


def _create_file(store: Store, named: dict[str, Path], name: str) -> None:
    if not store.create(name, named[name]):  # a random name: nobody else made it
        raise RemoteError(store.url, f"{name} is there already", "run again")


def _seal(record: Record) -> bytes:
    return (stringify(seal_record(record)) + "\n").encode()
