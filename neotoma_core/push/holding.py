"""What of a database is at hand in its vault for a push, and which log of the remote is its own."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.archive.append import ArchiveRequest, append_database, default_archive
from neotoma_core.archive_tables.tables import Archive, open_archive
from neotoma_core.backup.raw_files import names_of_raw_files
from neotoma_core.backup.standing import find_unexplained, history_of
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.comparison.measuring import count_contents
from neotoma_core.erased.files import find_erased_files
from neotoma_core.erased.naming import OBSERVATIONS
from neotoma_core.errors import RemoteForeign, VaultLocked
from neotoma_core.files.locking import exclusive
from neotoma_core.files.private import make_folders
from neotoma_core.files.scratch import scratch_in
from neotoma_core.ledger.explained import Counted, find_losses
from neotoma_core.ledger.file import read_erased
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.neotoma.json import stringify
from neotoma_core.push.raw_files import has_new_raw_files, keep_new_raw_files
from neotoma_core.push.request import PushRequest
from neotoma_core.push.signs import Signs, is_archived, note_archived, signs_of
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Entry
from neotoma_core.remotes.own import is_up_to_date, own_archive, own_log
from neotoma_core.remotes.remote import Remote
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import PATIENCE_SECONDS, Whereabouts
from neotoma_core.runs.private_copy import PrivateCopy, private_copy
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.vault.backups import list_backups

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
    return known or read_anew(request, remote, logs, now, progress)


def read_anew(
    request: PushRequest,
    remote: Remote,
    logs: Mapping[str, Log],
    now: datetime,
    progress: Progress,
) -> Held:
    """Read the database, whatever is known of it, and bring what is new into the vault.

    Raises RemoteForeign where the remote is of another database, TargetError, VaultError,
    ArchiveError.
    """
    signs = signs_of(request.target)
    with private_copy(Whereabouts(request.target, request.vault, request.key), now) as copy:
        counts = count_contents(copy.whole, copy.stored, copy.original)
        place = default_archive(request.vault)
        log = own_log(request.vault, logs, own_archive(request.vault))
        if not (request.other_database or log.entries):
            _require_own(copy, remote, logs)
        alarms = _alarms(request, log, logs, counts)
        if alarms:
            return Held(log, None, counts, {}, alarms, ())
        appended = append_database(copy, ArchiveRequest(place, request.other_database), progress)
        archive = open_archive(place)
        log = own_log(request.vault, logs, archive)
        raw = keep_new_raw_files(copy, request.raw_storage, log.raw_files.keys())
        gone = find_erased_files(
            read_erased(request.vault), log.raw_files, names_of_raw_files(copy.whole)
        )
        if not any(finding.kind.startswith("archive-") for finding in appended.findings):
            note_archived(remote.cache, signs, archive)
        return Held(log, archive, counts, raw, (), appended.findings, frozenset(gone))


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


def _alarms(
    request: PushRequest, log: Log, logs: Mapping[str, Log], counts: Counts
) -> tuple[str, ...]:
    """Return why the database is not to be pushed as it is: what is less than it should be.

    By the backups of the vault, which know what was explained; without any, by what was pushed.
    """
    if request.accept_loss:
        return ()
    backups = list_backups(request.vault).backups
    frozen = find_unexplained(backups)
    history = history_of(backups) or _counts_of(log, logs)
    found = find_losses(counts, history, request.vault)
    return tuple(map(str, found)) or (frozen.state.alarms or () if frozen else ())


def _counts_of(log: Log, logs: Mapping[str, Log]) -> list[Counted]:
    entries = log.entries or [entry for one in logs.values() for entry in one.entries[-1:]]
    return [(entry.at, entry.counts) for entry in entries if entry.counts is not None]


def _require_own(copy: PrivateCopy, remote: Remote, logs: Mapping[str, Log]) -> None:
    """Raise RemoteForeign where the remote's logs are of another database."""
    if not logs:
        return
    theirs = sorted({name for log in logs.values() for name in log.observations})
    kinds = {entry.environment for log in logs.values() for entry in log.entries} - {None}
    ours = environment_of(copy.original.name)
    with closing(connect_read_only(copy.whole)) as connection:
        query = "SELECT 1 FROM observations WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1"
        shared = connection.execute(query, [stringify(list(theirs))]).fetchone()
    if shared and (ours is None or not kinds or ours in kinds):
        return
    raise RemoteForeign(
        remote.name,
        f"it holds another database: nothing of what it knows is in {copy.original}",
        "add another remote; if it is to hold both, say --allow-environment-mismatch",
    )


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
    )
