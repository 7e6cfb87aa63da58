"""Which objects of a remote its entries name, which of them count, and what else there is. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import (
    BACKUPS,
    BLOBS,
    DESCRIPTION,
    Content,
    Entry,
    ShippedBackup,
)
from neotoma_core.remotes.names import backup_folder, blob_name, entry_place
from neotoma_core.remotes.sealing import Sealing
from neotoma_core.report.findings import Finding

_CONTENT: Final = re.compile(rf"{BLOBS}/([0-9a-f]{{2}})/\1[0-9a-f]{{62}}")
_BACKUP: Final = re.compile(rf"{BACKUPS}/([0-9a-f]{{16,64}})/[^/]+/[0-9a-f]{{64}}")
_PROBE: Final = re.compile(r"probe/[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Named:
    """An object that entries name, and its content.

    ``counts``: whether anything is lost without it; what is named only by entries before a fresh
    start, and files of backups that were pruned, may be gone. ``is_part``: rows of a log that
    count.
    """

    name: str
    content: Content
    counts: bool
    is_part: bool = False


def find_named_objects(sealing: Sealing, logs: Iterable[Log]) -> dict[str, Named]:
    """Return the objects that the entries of logs name, other than entries, by name."""
    named: dict[str, Named] = {}
    for log in logs:
        for one in _objects_of(sealing, log):
            known = named.get(one.name)
            if known is None or (one.counts, one.is_part) > (known.counts, known.is_part):
                named[one.name] = one
    return named


def _objects_of(sealing: Sealing, log: Log) -> Iterator[Named]:
    first = log.current[0].number if log.entries else 0
    for entry in log.entries:
        counts = entry.number >= first
        yield from blobs_of(sealing, entry, counts=counts)
        for backup in entry.backups:
            stays = backup.name in log.backups
            for name in backup_objects(sealing, log.writer, entry, backup.name):
                yield Named(*name, counts=stays)


def blobs_of(sealing: Sealing, entry: Entry, *, counts: bool) -> Iterator[Named]:
    """Yield the rows and raw files that an entry names."""
    for part in entry.parts:
        name = blob_name(sealing.name_of(part.content.sha256))
        yield Named(entry.renamed.get(name, name), part.content, counts, is_part=counts)
    for raw, size in entry.raw_files.items():
        content = Content(raw.rpartition("/")[2], size)
        name = blob_name(sealing.name_of(content.sha256))
        yield Named(entry.renamed.get(name, name), content, counts)


def backup_objects(
    sealing: Sealing, writer: str, entry: Entry, name: str
) -> Iterator[tuple[str, Content]]:
    """Yield the objects of a backup that an entry shipped, and their contents."""
    folder = backup_folder(writer, name)
    for backup in entry.backups:
        if backup.name == name:
            for content in backup.files.values():
                object_name = folder + sealing.name_of(content.sha256)
                yield entry.renamed.get(object_name, object_name), content


def renamed_of(
    sealing: Sealing, log: Log, raw_files: Iterable[str], backups: Iterable[ShippedBackup]
) -> dict[str, str]:
    """Return the other names of what is named once more: raw files of a log, and backups."""
    names = {blob_name(sealing.name_of(raw.rpartition("/")[2])) for raw in raw_files}
    for backup in backups:
        folder = backup_folder(log.writer, backup.name)
        names |= {folder + sealing.name_of(content.sha256) for content in backup.files.values()}
    return {name: other for name, other in log.renamed.items() if name in names}


def missing_objects(named: Mapping[str, Named], listed: Collection[str]) -> Iterator[Finding]:
    """Yield what is gone of that which counts."""
    for name in sorted(named):
        if named[name].counts and name not in listed:
            yield Finding("remote-missing", name, "an entry names it, and it is not there")


def find_unnamed_objects(named: Collection[str], listed: Iterable[str]) -> Iterator[Finding]:
    """Yield what no entry names: contents that a push shipped, and what is nobody's."""
    left = 0
    for name in listed:
        if name in named or name == DESCRIPTION or entry_place(name):
            continue
        if is_shipped(name):
            left += 1
        else:
            detail = "midden did not put it there; see what it is, and move it elsewhere"
            yield Finding("remote-foreign", name, detail)
    if left:
        detail = (
            "no entry names them: a push that was killed, or one under way, shipped them; "
            "`midden remote prune` clears them"
        )
        yield Finding("remote-leftover", f"{left:,} objects", detail)


def is_shipped(name: str) -> bool:
    """Return whether an object is called as what a push ships before its entry, or a probe."""
    return any(kind.fullmatch(name) for kind in (_CONTENT, _BACKUP, _PROBE))


def writer_of(name: str) -> str | None:
    """Return whose backup an object belongs to, if it is called as one of a backup."""
    found = _BACKUP.fullmatch(name)
    return found[1] if found else None
