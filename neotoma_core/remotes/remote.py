"""A remote that is at hand: its store, how it is sealed, and the logs in it.

Invariant: an entry that was read once never changes and never goes, except old ones before a fresh
start. What was read is kept in the vault, as it is stored, so that it need not be read again, and
so that a missing or changed entry is noticed.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neotoma_core.errors import ObjectMissing, RemoteDamaged, RemoteError, RemoteForeign
from neotoma_core.files.atomic import write_file
from neotoma_core.files.private import make_folders
from neotoma_core.neotoma.encryption import Secret
from neotoma_core.remotes.known import KnownRemote, cache_of
from neotoma_core.remotes.log import Log, break_in, hash_of
from neotoma_core.remotes.models import (
    DESCRIPTION,
    LOG,
    Entry,
    NewerFormat,
    RemoteDescription,
    description_of,
    entry_of,
)
from neotoma_core.remotes.names import entry_name, entry_place
from neotoma_core.remotes.sealing import Sealing, open_key
from neotoma_core.stores.store import Store

_READERS: Final = 8


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote at hand. ``name``: what messages call it; ``cache``: where its entries are kept."""

    name: str
    store: Store
    description: RemoteDescription
    sealing: Sealing
    cache: Path


def open_known(
    vault: Path, known: KnownRemote, store: Store, identities: tuple[Secret, ...] = ()
) -> Remote:
    """Return a remote that a vault knows; nothing is asked of the store."""
    key = Secret(known.key) if known.key else None
    sealing = Sealing(known.name, known.recipients, key, identities)
    described = RemoteDescription(known.id, known.recipients)
    return Remote(known.name, store, described, sealing, cache_of(vault, known.id))


def open_unknown(vault: Path, store: Store, identities: tuple[Secret, ...]) -> Remote:
    """Return the remote in a store, as it describes itself.

    Raises RemoteError, RemoteForeign, IdentityMissing, IdentityWrong.
    """
    where = store.url
    described = read_description(store)
    key = open_key(where, described.key, identities) if described.key else None
    sealing = Sealing(where, described.recipients, key, identities)
    return Remote(where, store, described, sealing, cache_of(vault, described.id))


def read_description(store: Store) -> RemoteDescription:
    """Return what a remote says of itself; raises RemoteError, RemoteForeign."""
    try:
        return description_of(store.read(DESCRIPTION))
    except ObjectMissing as error:
        wrong, advice = "no remote of midden is there", "make one with `midden remote add`"
        raise RemoteError(store.url, wrong, advice) from error
    except NewerFormat as error:
        raise RemoteError(store.url, str(error), "update midden") from error
    except ValueError as error:
        wrong = f"its {DESCRIPTION} is not one of midden"
        raise RemoteForeign(store.url, wrong, "choose another place") from error


def require_same(remote: Remote) -> None:
    """Raise RemoteForeign where another remote has taken the place of the one that is known."""
    _require_there(remote)
    if read_description(remote.store).id != remote.description.id:
        wrong = "it is no longer the remote that was added: its id is another one"
        advice = "look what happened there; to use it all the same, remove it and add it again"
        raise RemoteForeign(remote.name, wrong, advice)


def read_logs(remote: Remote) -> dict[str, Log]:
    """Return the logs of a remote by writer; raises RemoteDamaged, and what a store raises.

    One listing, and a request for each entry that was not read before.
    """
    listed: dict[str, dict[int, int]] = {}
    for stored in remote.store.list(f"{LOG}/"):
        place = entry_place(stored.name)
        if place is None:
            raise _damage_of(remote, f"object {stored.name} is not an entry of a log")
        listed.setdefault(place[0], {})[place[1]] = stored.size
    _require_kept(remote, listed)
    return {writer: _read_log(remote, writer, sizes) for writer, sizes in sorted(listed.items())}


def keep_entry(remote: Remote, entry: Entry, stored: bytes) -> None:
    """Keep an entry as it is stored."""
    path = _cache_path(remote, entry.writer, entry.number)
    make_folders(path.parent)
    write_file(path, stored)


def _read_log(remote: Remote, writer: str, sizes: Mapping[int, int]) -> Log:
    numbers = sorted(sizes)
    with ThreadPoolExecutor(_READERS) as pool:
        stored = list(pool.map(lambda n: _read_stored(remote, writer, n, sizes[n]), numbers))
    entries = {
        number: (open_entry(remote, writer, number, raw), hash_of(raw))
        for number, raw in zip(numbers, stored, strict=True)
    }
    if wrong := break_in(entries):
        raise _damage_of(remote, f"log {writer}: {wrong}")
    for number, raw in zip(numbers, stored, strict=True):
        if not _cache_path(remote, writer, number).exists():
            keep_entry(remote, entries[number][0], raw)
    return Log(writer, tuple(entries[n][0] for n in numbers), entries[numbers[-1]][1])


def _read_stored(remote: Remote, writer: str, number: int, size: int) -> bytes:
    cached = _cache_path(remote, writer, number)
    if cached.is_file():
        if cached.stat().st_size != size:
            raise _damage_of(remote, f"log {writer}: entry {number} is not the one that was there")
        return cached.read_bytes()
    return remote.store.read(entry_name(writer, number))


def read_kept_entries(remote: Remote) -> dict[tuple[str, int], bytes]:
    """Return the entries that were read before, as they were stored, by writer and number."""
    return read_kept_in(remote.cache)


def read_kept_in(cache: Path) -> dict[tuple[str, int], bytes]:
    """Return the entries that are kept in a cache, as they were stored, by writer and number."""
    return {place: (cache / entry_name(*place)).read_bytes() for place in list_kept(cache)}


def read_entry(remote: Remote, writer: str, number: int) -> Entry:
    """Return one entry; raises RemoteDamaged, RemoteError for a newer one, ObjectMissing."""
    return open_entry(remote, writer, number, remote.store.read(entry_name(writer, number)))


def forget_entry(remote: Remote, writer: str, number: int) -> None:
    """Keep an entry no longer, which was removed on the remote."""
    _cache_path(remote, writer, number).unlink(missing_ok=True)


def open_entry(remote: Remote, writer: str, number: int, raw: bytes) -> Entry:
    """Return an entry from what is stored; raises RemoteDamaged, RemoteError for a newer one."""
    name = entry_name(writer, number)
    try:
        entry = entry_of(remote.sealing.open_entry(name, raw))
    except NewerFormat as error:
        raise RemoteError(remote.name, str(error), "update midden") from error
    except ValueError as error:
        raise _damage_of(remote, f"object {name} is not an entry of a log") from error
    if (entry.writer, entry.number) != (writer, number):
        raise _damage_of(remote, f"object {name} belongs in another place")
    return entry


def _require_kept(remote: Remote, listed: Mapping[str, Mapping[int, int]]) -> None:
    """Raise RemoteDamaged where an entry that was read before is no longer there."""
    for writer, number in list_kept(remote.cache):
        there = listed.get(writer, {})
        if number not in there and (not there or number > min(there)):
            _require_there(remote)
            raise _damage_of(remote, f"log {writer}: entry {number}, which was there, is gone")


def _require_there(remote: Remote) -> None:
    """Raise RemoteError where nothing is left of a remote, as where its disk is not mounted."""
    if next(iter(remote.store.list()), None) is None:
        wrong = "nothing is there any more"
        advice = "if it is on a disk, plug that in and mount it; if it is lost, remove and add it"
        raise RemoteError(remote.name, wrong, f"{advice} again")


def list_kept(cache: Path) -> Iterator[tuple[str, int]]:
    """Yield the writer and the number of each entry that is kept in a cache."""
    for path in cache.glob(f"{LOG}/*/*"):
        place = entry_place(path.relative_to(cache).as_posix())
        if place is not None:
            yield place


def _cache_path(remote: Remote, writer: str, number: int) -> Path:
    return remote.cache / entry_name(writer, number)


def _damage_of(remote: Remote, wrong: str) -> RemoteDamaged:
    advice = f"nothing was changed; to look at all of it: midden verify --remote {remote.name}"
    return RemoteDamaged(remote.name, wrong, advice)
