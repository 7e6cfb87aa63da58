"""What a remote holds, among the copies of a database: its logs, each built as a database."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.archive_tables.database import Selection, build_database
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.files.private import make_folders
from neotoma_core.files.scratch import private_scratch
from neotoma_core.find.inventory import drop_check, take_inventory
from neotoma_core.find.own_copies import number_of
from neotoma_core.find.search import Found, FoundCopy, SearchRequest, search
from neotoma_core.remotes.copies import RemoteCopy
from neotoma_core.report.inventory import InventoryReport
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Asked

_SHORT: Final = 8


@dataclass(frozen=True, slots=True)
class _Built:
    """A log, built as a database. ``called``: as what it is shown below its remote."""

    database: Path
    called: str


def find_on_remote(
    asked: Asked,
    remote: str,
    copies: Sequence[RemoteCopy],
    where: SearchRequest,
    progress: Progress,
) -> InventoryReport:
    """Return the inventory of what came from a remote, of the target, and of other places.

    Each log counts with every row it ever had. ``remote``: what the remote is called; a copy of it
    is shown as its own. Raises UsageError, ArchiveError, VerificationFailed.
    """
    target = asked.target
    paths = tuple(dict.fromkeys((*where.paths, *([target] if target.exists() else []))))
    where = replace(where, paths=paths)
    with private_scratch() as logs, private_scratch() as scratch:
        built = list(_build(copies, logs, progress))
        found = search(where, scratch, progress, [one.database for one in built])
        found = _as_remote(found, remote, built)
        report = take_inventory(found, None)
        number = number_of(found, target)
        known = found.known.get(number) if number is not None else None
        own = found.family_of(known.number) if known else next(iter(found.families), ())
        drop = drop_check(found, known, own, target, asked.vault)
    return replace(report, drops=(drop,), searched=(*report.searched, remote))


def _build(copies: Iterable[RemoteCopy], folder: Path, progress: Progress) -> Iterator[_Built]:
    for copy in copies:
        called = f"{copy.writer[:_SHORT]}/{copy.target.name}"
        database = folder / called
        make_folders(database.parent)
        build_database(open_archive(copy.archive), database, Selection("everything"), progress)
        _date(database, copy.pushed_at)
        yield _Built(database, called)


def _date(database: Path, moment: datetime) -> None:
    """Let a database be of the moment when it was pushed."""
    os.utime(database, (moment.timestamp(), moment.timestamp()))


def _as_remote(found: Found, remote: str, built: Iterable[_Built]) -> Found:
    """Return what was found; what was built here is shown as the remote's."""
    called = {one.database: one.called for one in built}
    copies = tuple(_of_remote(copy, remote, called.get(copy.path)) for copy in found.copies)
    known = {number: replace(one, path=copies[number].shown) for number, one in found.known.items()}
    return replace(found, copies=copies, known=known)


def _of_remote(copy: FoundCopy, remote: str, called: str | None) -> FoundCopy:
    return copy if called is None else replace(copy, remote=remote, member=called)
