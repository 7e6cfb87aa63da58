"""Reading all entries of a remote again, whatever the vault has kept of them.

One that is damaged is a finding; the others are read all the same. Then each is compared with the
entry that was read before.
"""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from neotoma_core.errors import IdentityWrong, ObjectMissing, RemoteDamaged, RemoteError
from neotoma_core.remotes.log import Log, break_in, hash_of
from neotoma_core.remotes.models import (
    DESCRIPTION,
    LOG,
    Entry,
    NewerFormat,
    RemoteDescription,
    description_bytes,
    description_of,
)
from neotoma_core.remotes.names import entry_name, entry_place
from neotoma_core.remotes.remote import Remote, open_entry, read_kept_entries, require_same
from neotoma_core.remotes.sealing import open_key, public_key
from neotoma_core.report.findings import Finding

_READERS: Final = 8
_CHANGED: Final = "it is not what was written"


@dataclass(frozen=True, slots=True)
class ReadLogs:
    """The logs of a remote by writer, as far as they can be read; ``whole``: those in which all is.

    ``findings``: what is damaged, missing, or another one than before.
    """

    logs: Mapping[str, Log]
    whole: frozenset[str]
    findings: tuple[Finding, ...]


def check_description(remote: Remote) -> Iterator[Finding]:
    """Yield what is wrong with what a remote says of itself.

    Raises RemoteForeign where another remote has taken its place, IdentityWrong where the identity
    at hand is another remote's, RemoteError for a later format.
    """
    try:
        stored = remote.store.read(DESCRIPTION)
        said = description_of(stored)
    except ObjectMissing:
        yield Finding("remote-missing", DESCRIPTION, "it says what the remote is, and is gone")
        return
    except NewerFormat as error:
        raise RemoteError(remote.name, str(error), "update midden") from error
    except ValueError:
        yield Finding("remote-damaged", DESCRIPTION, _CHANGED)
        return
    require_same(remote)
    ours = remote.description
    expected = description_bytes(RemoteDescription(ours.id, ours.recipients, said.key))
    is_sealed = not remote.sealing.is_plain
    if stored != expected or (said.key is not None) != is_sealed or not _opens(remote, said.key):
        yield Finding("remote-damaged", DESCRIPTION, _CHANGED)


def _opens(remote: Remote, key: str | None) -> bool:
    """Return whether the identity at hand, if any, finds the key of the log in what is said."""
    identities = remote.sealing.identities
    if key is None or not identities:
        return True
    try:
        opened = open_key(remote.name, key, identities)
    except IdentityWrong:
        if not _fits(remote):
            raise
        return False
    return remote.sealing.key is not None and opened.reveal() == remote.sealing.key.reveal()


def _fits(remote: Remote) -> bool:
    """Return whether an identity at hand is of one of the recipients."""
    theirs = {tuple(one.split()[:2]) for one in remote.description.recipients}
    return any(tuple(public_key(one).split()[:2]) in theirs for one in remote.sealing.identities)


def read_all_logs(remote: Remote) -> ReadLogs:
    """Read every entry that is there; raises what a store raises."""
    places = [place for one in remote.store.list(LOG) if (place := entry_place(one.name))]
    kept = read_kept_entries(remote)
    findings = list(_find_gone(places, kept))
    with ThreadPoolExecutor(_READERS) as pool:
        stored = list(pool.map(lambda place: _read_stored(remote, place), places))
    entries: dict[str, dict[int, tuple[Entry, str]]] = {}
    broken = {writer for (writer, _) in kept if writer not in dict(places)}
    for place, raw in zip(places, stored, strict=True):
        found = _open(remote, place, raw, kept.get(place))
        if isinstance(found, Finding):
            findings.append(found)
            broken.add(place[0])
        else:
            entries.setdefault(place[0], {})[place[1]] = found
    logs = {}
    for writer, some in sorted(entries.items()):
        wrong = "" if writer in broken else break_in(some)
        if wrong:
            findings.append(Finding("remote-missing", f"log {writer}", wrong))
            broken.add(writer)
        ordered = [some[number] for number in sorted(some)]
        logs[writer] = Log(writer, tuple(entry for entry, _ in ordered), ordered[-1][1])
    broken |= {finding.subject.split("/")[1] for finding in findings if "/" in finding.subject}
    return ReadLogs(logs, frozenset(logs.keys() - broken), tuple(findings))


def _find_gone(
    places: Collection[tuple[str, int]], kept: Collection[tuple[str, int]]
) -> Iterator[Finding]:
    """Yield the entries that were read before and are gone; old ones may be."""
    first = dict(sorted(places, reverse=True))
    for writer, number in sorted(set(kept) - set(places)):
        if writer not in first or number > first[writer]:
            yield Finding("remote-missing", entry_name(writer, number), "it was there, and is gone")


def _read_stored(remote: Remote, place: tuple[str, int]) -> bytes | None:
    try:
        return remote.store.read(entry_name(*place))
    except ObjectMissing:
        return None


def _open(
    remote: Remote, place: tuple[str, int], raw: bytes | None, kept: bytes | None
) -> tuple[Entry, str] | Finding:
    name = entry_name(*place)
    if raw is None:
        return Finding("remote-missing", name, "it is listed, but missing")
    try:
        entry = open_entry(remote, *place, raw)
    except RemoteDamaged:
        return Finding("remote-damaged", name, _CHANGED)
    if kept is not None and kept != raw:
        return Finding("remote-replaced", name, "it is not the entry that was read there before")
    return entry, hash_of(raw)
