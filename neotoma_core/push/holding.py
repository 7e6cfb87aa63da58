"""What of a database is at hand in its vault for a push, and which log of the remote is its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.archive_tables.tables import Archive
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.erased.naming import OBSERVATIONS
from neotoma_core.errors import VaultLocked
from neotoma_core.files.locking import exclusive
from neotoma_core.files.private import make_folders
from neotoma_core.files.scratch import scratch_in
from neotoma_core.ledger.file import read_erased
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.push.raw_files import has_new_raw_files
from neotoma_core.push.request import PushRequest
from neotoma_core.push.signs import Signs, is_archived, signs_of
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Entry
from neotoma_core.remotes.own import is_up_to_date, own_archive, own_log
from neotoma_core.remotes.remote import Remote
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.vault.lease import PATIENCE_SECONDS

_LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class Held:
    """What of the database is at hand in the vault, as of one instant.

    ``raw_files``: sizes of those that are new to the log. ``alarms``: why the database is not
    pushed as it is; then it was not archived either. ``erased_files``: raw files of the log that
    were erased since.
    """

    log: Log
    archive: Archive | None
    counts: Counts
    raw_files: Mapping[str, int]
    alarms: tuple[str, ...]
    findings: tuple[Finding, ...]
    erased_files: frozenset[str] = frozenset()


@contextmanager
def alone(vault: Path, remote: Remote) -> Iterator[Path]:
    """Keep other runs of this vault that write to the remote out; yield a folder for scratch."""
    make_folders(remote.cache)
    busy = VaultLocked(vault)
    with (
        exclusive(remote.cache / _LOCK, PATIENCE_SECONDS, lambda: busy),
        scratch_in(remote.cache) as scratch,
    ):
        yield scratch


def hold(
    request: PushRequest,
    remote: Remote,
    logs: Mapping[str, Log],
    now: datetime,
    progress: Progress,
) -> Held:
    """Bring what is new in the database into the vault, and find the log that it continues.

    A database that was archived as it is is not read again. Raises what ``read_anew`` does.
    """
    known = _find_known(request, remote, logs, signs_of(request.target))
    if known is not None:
        return known
    # What reads databases takes a third of a second to import; most pushes have nothing new.
    from neotoma_core.push.reading import read_anew  # noqa: PLC0415

    return read_anew(request, remote, logs, now, progress)


def _find_known(
    request: PushRequest, remote: Remote, logs: Mapping[str, Log], signs: Signs
) -> Held | None:
    """Return what is at hand of a database that was archived as it is; None where it was not.

    Also where the log lacks something of it, or raw files are there that it does not have.
    """
    archive = own_archive(request.vault)
    if archive is None:
        return None
    log = own_log(request.vault, logs, archive)
    counted = [entry.counts for entry in log.entries if entry.counts is not None]
    shipped = log.entries and all(
        is_up_to_date(log.tables.get(name), archive.commit_of(name)) for name in archive.tables
    )
    if not (shipped and counted and is_archived(remote.cache, signs, archive)):
        return None
    if has_new_raw_files(request.target, request.raw_storage, log.raw_files.keys()):
        return None
    return Held(log, archive, counted[-1], {}, (), ())


def blank_entry(request: PushRequest, held: Held, now: datetime) -> Entry:
    """Return what every entry of this push says."""
    archive = held.archive
    ids = archive.ids if archive else ()
    erased = set(read_erased(request.vault).among(OBSERVATIONS, ids))
    return Entry(
        writer=held.log.writer,
        number=0,
        previous="",
        at=now.astimezone(UTC),
        target=str(request.target.absolute()),
        environment=environment_of(request.target.name),
        release=archive.release if archive else held.log.release,
        observations=tuple(name for name in ids if name not in erased),
        counts=None if held.alarms else held.counts,
        archive=_archive_id(archive or own_archive(request.vault)),
    )


def _archive_id(archive: Archive | None) -> str:
    return archive.record.archive if archive and archive.record else ""
