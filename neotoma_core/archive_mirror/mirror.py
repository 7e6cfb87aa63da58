"""The mirror of an archive on a store: a folder of this machine that has what the store has.

It is an archive like any other, so whatever reads, proves or appends to one does so with a mirror.
It has the logs and records of the store, and the files that the logs do not drop. What is in it and
not on the store, such as what a killed run appended and did not publish, goes with the next
``sync``.

Invariant: a file that the mirror kept is taken for an object only if its size and its time are
those that the store lists; an object of an archive is never changed.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import orjson

from neotoma_core.archive_mirror.layout import LOG, RECORDS, Listing, Objects, list_objects
from neotoma_core.archive_tables.record import (
    COPY,
    RECORD,
    Record,
    later_of,
    record_of,
    write_record,
)
from neotoma_core.archive_tables.tables import DESCRIPTION
from neotoma_core.documents.document import document_of
from neotoma_core.errors import ArchiveError, DiskFull, ObjectMissing, RemoteDamaged, RemoteForeign
from neotoma_core.files.atomic import temporary_name, write_file
from neotoma_core.files.private import make_folders
from neotoma_core.files.small import read_small
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import SCHEMAS
from neotoma_core.stores.many import do_at_once
from neotoma_core.stores.store import Store, StoredObject
from neotoma_core.vault.folder import free_bytes

MIRRORS: Final = "remotes"
_FOLDER: Final = "archive"
_ADDRESS: Final = "address"
_LONGEST: Final = 4096  # bytes of an address
_SHOWN: Final = 16
_MOST_SAID: Final = 64 << 20  # bytes of an object that says something, such as an entry of a log
_HEADROOM: Final = 16 << 20
_KEPT: Final = 321  # nanoseconds that mark the time of a file that is an object of the store
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Mirror:
    """A folder, and the store that it is a mirror of."""

    folder: Path
    store: Store


@dataclass(frozen=True, slots=True)
class Synced:
    """A mirror that has what the store has. ``described``: its ``archive.json``, if it has one.

    ``record``: what the store says was committed; None where it says nothing that can be read.
    """

    mirror: Mirror
    listing: Listing
    record: Record | None
    described: bytes | None


def mirror_in(vault: Path, store: Store) -> Mirror:
    """Return the mirror that a vault keeps of the archive at an address, for its next run."""
    known = hashlib.sha256(store.url.encode()).hexdigest()[:_SHOWN]
    return Mirror(vault / MIRRORS / f"{_FOLDER}-{known}" / _FOLDER, store)


def note_address(mirror: Mirror) -> None:
    """Write the address of the archive next to its mirror, so that an erasure can name both."""
    make_folders(mirror.folder.parent)
    write_file(mirror.folder.parent / _ADDRESS, mirror.store.url.encode())


def list_mirrors(vault: Path) -> Mapping[Path, str]:
    """Return the mirrors that a vault keeps, and the address of the archive of each."""
    found = {}
    for path in sorted(vault.glob(f"{MIRRORS}/*/{_ADDRESS}")):
        with suppress(OSError, UnicodeDecodeError):
            found[path.parent / _FOLDER] = read_small(path, _LONGEST).decode()
    return found


def sync(
    mirror: Mirror, progress: Progress, *, dropped: bool = False, content: bool = True
) -> Synced:
    """Bring the mirror to what the store has now.

    ``dropped``: files that a commit dropped, and that are still on the store, are there as well,
    without their content. Without ``content``, only the logs and records are brought.

    Raises RemoteError and its kinds, RemoteDamaged for an object that is not as it was listed, and
    DiskFull.
    """
    store = mirror.store
    listing = list_objects(list(store.list(RECORDS)), store.list())
    if not listing.is_archive:
        shutil.rmtree(mirror.folder, ignore_errors=True)
    make_folders(mirror.folder)
    _drop(mirror, listing.entries, (f"{LOG}/", ""))
    _fetch(mirror, listing.entries.values(), progress, "log")
    old = _find_dropped(mirror)
    wanted = {name: one for name, one in listing.data.items() if name not in old}
    _drop(mirror, wanted, ("", ".parquet"))
    if content:
        _fetch(mirror, wanted.values(), progress, "download")
    for name in listing.data.keys() & old if dropped else ():
        make_folders((mirror.folder / name).parent)
        (mirror.folder / name).touch(0o600)
    described = None
    if listing.newest_signs:
        described = _read(mirror, listing.every[listing.newest_signs])
        write_file(mirror.folder / DESCRIPTION, described)
    else:
        (mirror.folder / DESCRIPTION).unlink(missing_ok=True)
    return Synced(mirror, listing, _sync_record(mirror, listing), described)


def require_archive(synced: Synced) -> Synced:
    """Return it; raises ArchiveError where there is no archive at the address."""
    if not synced.listing.is_archive:
        wrong, advice = "there is no archive", "name the address that `midden archive` wrote to"
        raise ArchiveError(synced.mirror.folder, wrong, advice)
    return synced


def require_own_place(synced: Synced) -> Synced:
    """Return it; raises RemoteForeign where there are objects, and they are not an archive's."""
    listing = synced.listing
    if not listing.is_archive and (listing.unknown or listing.data):
        wrong = "it holds other objects, and no archive"
        raise RemoteForeign(synced.mirror.store.url, wrong, "choose an empty prefix")
    return synced


def keep_published(mirror: Mirror, names: Iterable[str]) -> None:
    """Mark the files of the mirror that were published just now as the objects they are."""
    published = set(names)
    for one in mirror.store.list() if published else ():
        path = mirror.folder / one.name
        if one.name in published and path.is_file() and path.stat().st_size == one.size:
            _mark(path, one)


def _sync_record(mirror: Mirror, listing: Listing) -> Record | None:
    """Write the records of the store as the one of a folder; a damaged one as it is."""
    record: Record | None = None
    for name in listing.newest_records:
        content = _read(mirror, listing.every[name])
        found = None
        with suppress(ValueError):
            found = record_of(document_of(content))
        if found is None or (record is not None and found.archive != record.archive):
            write_file(mirror.folder / RECORD, content[:1])  # which says that it is damaged
            write_file(mirror.folder / COPY, content[:1])
            return None
        record = later_of(record, found) if record else found
    if record is not None:
        write_record(mirror.folder, record)
        return record
    for name in (RECORD, COPY):
        (mirror.folder / name).unlink(missing_ok=True)
    return None


def _read(mirror: Mirror, one: StoredObject) -> bytes:
    _require_small(mirror, one)
    return mirror.store.read(one.name)


def _require_small(mirror: Mirror, one: StoredObject) -> None:
    if one.size > _MOST_SAID:
        raise RemoteDamaged(mirror.store.url, f"{one.name} is larger than any of its kind")


def _drop(mirror: Mirror, wanted: Objects, kind: tuple[str, str]) -> None:
    """Remove the files of the mirror of a kind, by folder and ending, that are not objects."""
    below, ending = kind
    for table in SCHEMAS:
        for path in (mirror.folder / table / below).glob(f"*{ending}"):
            known = wanted.get(f"{table}/{below}{path.name}")
            if path.is_file() and (known is None or not _is_kept(path, known)):
                path.unlink()
        with suppress(OSError):  # it is not there, or something is in it
            (mirror.folder / table / below).rmdir()


def _fetch(mirror: Mirror, objects: Iterable[StoredObject], progress: Progress, step: str) -> None:
    missing = [one for one in objects if not (mirror.folder / one.name).is_file()]
    needed = sum(one.size for one in missing)
    free = free_bytes(mirror.folder)
    if free < needed + _HEADROOM:
        raise DiskFull(mirror.folder, needed, free, "mirror of the archive")
    progress.begin(step, needed)
    for folder in {(mirror.folder / one.name).parent for one in missing}:
        make_folders(folder)
    for one, _ in do_at_once(partial(_fetch_one, mirror), missing):
        progress.advance(one.size)


def _fetch_one(mirror: Mirror, one: StoredObject) -> None:
    path = mirror.folder / one.name
    temporary = temporary_name(path)
    temporary.unlink(missing_ok=True)
    if LOG in one.name:
        _require_small(mirror, one)
    try:
        mirror.store.download(one.name, temporary)
        if temporary.stat().st_size != one.size:
            raise RemoteDamaged(mirror.store.url, f"{one.name} is not as it was listed")
        _mark(temporary, one)
        temporary.replace(path)
    except ObjectMissing:  # a compaction removed it: then no later log names it
        return
    finally:
        temporary.unlink(missing_ok=True)


def _time_of(one: StoredObject) -> int:
    since = one.modified.astimezone(UTC) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000 + _KEPT


def _mark(path: Path, one: StoredObject) -> None:
    os.utime(path, ns=(_time_of(one), _time_of(one)))


def _is_kept(path: Path, one: StoredObject) -> bool:
    facts = path.stat()
    return facts.st_size == one.size and facts.st_mtime_ns == _time_of(one)


def _find_dropped(mirror: Mirror) -> set[str]:
    """Return the objects that the logs drop: nothing reads them any more."""
    return {
        f"{table}/{name}"
        for table in SCHEMAS
        for entry in (mirror.folder / table / LOG).glob("[0-9]*.json")
        for name in _dropped_in(entry)
    }


def _dropped_in(entry: Path) -> Iterator[str]:
    for line in entry.read_bytes().splitlines():
        with suppress(orjson.JSONDecodeError):
            action = orjson.loads(line)
            removed = action.get("remove") if isinstance(action, dict) else None
            if isinstance(removed, dict):
                yield unquote(str(removed.get("path")))
