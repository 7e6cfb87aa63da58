"""Pushing what is new in a database, its raw files and its backups to a remote.

copy one instant → archive in the vault → compare with the log on the remote → contents → entries

What is left to do is found in the entries of the log, never in a note of what was pushed: a push
that was killed is completed by the next one, and nothing is shipped twice. The vault is held while
the database is copied and archived, not while anything is on its way.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from neotoma_core.archive.append import ArchiveRequest, append_database, default_archive
from neotoma_core.archive_tables.tables import DESCRIPTION, Archive, open_archive
from neotoma_core.backup.standing import find_unexplained, history_of
from neotoma_core.comparison.anomaly import Counts, find_anomalies
from neotoma_core.comparison.measuring import count_contents
from neotoma_core.errors import RemoteForeign, VaultLocked
from neotoma_core.files.locking import exclusive
from neotoma_core.files.private import make_folders
from neotoma_core.files.scratch import scratch_in
from neotoma_core.ledger.file import read_erased, read_ledger
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.neotoma.json import stringify
from neotoma_core.push.backups import NewBackup, describe_backup, new_backups
from neotoma_core.push.explained import without_erased
from neotoma_core.push.plan import batches, choose_log, is_up_to_date
from neotoma_core.push.raw_files import has_new_raw_files, keep_new_raw_files
from neotoma_core.push.report import Outcome, PushReport
from neotoma_core.push.request import PushRequest
from neotoma_core.push.rows import NewRows, is_continued, write_new_rows
from neotoma_core.push.shipping import NumberTaken, Shipment, Shipper, blob_of
from neotoma_core.push.signs import Signs, is_archived, note_archived, signs_of
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Entry
from neotoma_core.remotes.names import backup_folder
from neotoma_core.remotes.remote import Remote, read_logs
from neotoma_core.report.findings import Finding
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import PATIENCE_SECONDS, Whereabouts
from neotoma_core.runs.clock import Clock
from neotoma_core.runs.private_copy import PrivateCopy, private_copy
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.blobs import blob_path

_TRIES: Final = 8
_LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class _Held:
    """What of the database is at hand in the vault, as of one instant.

    ``raw_files``: sizes of those that are new to the log. ``alarms``: why the database is not
    pushed as it is; then it was not archived either.
    """

    log: Log
    archive: Archive | None
    counts: Counts
    raw_files: Mapping[str, int]
    alarms: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Sent:
    """What was shipped: versions of rows by table, how many raw files, which backups."""

    versions: Mapping[str, int] = field(default_factory=dict)
    raw_files: int = 0
    backups: list[str] = field(default_factory=list)
    erasures: int = 0


def push(request: PushRequest, remote: Remote, now: datetime, progress: Progress) -> PushReport:
    """Push what a remote lacks; an unexplained loss is held back, and what was before is pushed.

    Raises RemoteForeign where the remote is of another database, TargetError, VaultError,
    ArchiveError, and what a store raises; what was shipped by then stays, the next push goes on.
    """
    with _alone(request, remote) as scratch:
        clock = Clock()
        for _ in range(_TRIES - 1):
            try:
                return _push(request, remote, scratch, now, progress, clock)
            except NumberTaken:
                continue
        return _push(request, remote, scratch, now, progress, clock)


@contextmanager
def _alone(request: PushRequest, remote: Remote) -> Iterator[Path]:
    """Keep other pushes of this vault to the remote out; yield a folder for scratch."""
    make_folders(remote.cache)
    busy = VaultLocked(request.vault)
    with (
        exclusive(remote.cache / _LOCK, PATIENCE_SECONDS, lambda: busy),
        scratch_in(remote.cache) as scratch,
    ):
        yield scratch


def _push(  # noqa: PLR0913, PLR0917 - what, where to, and how it is told
    request: PushRequest,
    remote: Remote,
    scratch: Path,
    now: datetime,
    progress: Progress,
    clock: Clock,
) -> PushReport:
    logs = read_logs(remote)
    clock.lap("list")
    held = _hold(request, remote, logs, now, progress)
    clock.lap("archive")
    shipper = Shipper(remote, held.log, _blank(request, held, now), scratch, progress)
    sent = _Sent()
    lines = read_ledger(request.vault).lines[len(shipper.log.erasures) :]
    if held.archive is not None:
        _ship_log(request, held, lines, shipper, sent, scratch)
    elif lines and held.log.writer:  # what was erased is erased everywhere, whatever else is lost
        shipper.ship([], erasures=lines)
    sent.erasures = len(lines)
    if request.backups and held.log.writer:
        _ship_backups(request, shipper, sent, scratch)
    clock.lap("push")
    changed: Outcome = "pushed" if shipper.entries else "unchanged"
    return PushReport(
        outcome="held" if held.alarms else changed,
        target=str(request.target),
        remote=remote.name,
        writer=held.log.writer,
        versions=sent.versions,
        raw_files=sent.raw_files,
        backups=tuple(sent.backups),
        erasures=sent.erasures,
        bytes=shipper.bytes,
        entries=shipper.entries,
        alarms=held.alarms,
        findings=held.findings,
        seconds=clock.seconds,
    )


def _hold(
    request: PushRequest,
    remote: Remote,
    logs: Mapping[str, Log],
    now: datetime,
    progress: Progress,
) -> _Held:
    """Bring what is new in the database into the vault, and find the log that it continues."""
    signs = signs_of(request.target)
    known = _known(request, remote, logs, signs)
    if known is not None:
        return known
    with private_copy(Whereabouts(request.target, request.vault, request.key), now) as copy:
        counts = count_contents(copy.whole, copy.stored, copy.original)
        place = default_archive(request.vault)
        before = open_archive(place) if (place / DESCRIPTION).exists() else None
        log = _own_log(request, logs, before)
        if not (request.other_database or log.entries):
            _require_own(copy, remote, logs)
        alarms = _alarms(request, log, logs, counts)
        if alarms:
            return _Held(log, None, counts, {}, alarms, ())
        appended = append_database(copy, ArchiveRequest(place, request.other_database), progress)
        archive = open_archive(place)
        log = _own_log(request, logs, archive)
        raw = keep_new_raw_files(copy, request.raw_storage, log.raw_files.keys())
        if not any(finding.kind.startswith("archive-") for finding in appended.findings):
            note_archived(remote.cache, signs, archive)
        return _Held(log, archive, counts, raw, (), appended.findings)


def _known(
    request: PushRequest, remote: Remote, logs: Mapping[str, Log], signs: Signs
) -> _Held | None:
    """Return what is at hand of a database that was archived as it is; None where it was not.

    Also where the log lacks something of it, or raw files are there that it does not have.
    """
    place = default_archive(request.vault)
    if not (place / DESCRIPTION).exists():
        return None
    archive = open_archive(place)
    log = _own_log(request, logs, archive)
    counted = [entry.counts for entry in log.entries if entry.counts is not None]
    shipped = log.entries and all(
        is_up_to_date(log.tables.get(name), archive.committed(name)) for name in archive.tables
    )
    if not (shipped and counted and is_archived(remote.cache, signs, archive)):
        return None
    if has_new_raw_files(request.target, request.raw_storage, log.raw_files.keys()):
        return None
    return _Held(log, archive, counted[-1], {}, (), ())


def _own_log(request: PushRequest, logs: Mapping[str, Log], archive: Archive | None) -> Log:
    if archive is None or archive.record is None:
        return Log("")
    ledger = read_ledger(request.vault).lines

    def continued(log: Log) -> bool:
        return ledger[: len(log.erasures)] == log.erasures and is_continued(archive, log)

    return choose_log(logs, archive.record.archive, continued)


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
    history = history_of(backups) or _pushed_counts(log, logs)
    found = find_anomalies(counts, history)
    if found:
        found = find_anomalies(counts, without_erased(history, request.vault))
    return tuple(map(str, found)) or (frozen.state.alarms or () if frozen else ())


def _pushed_counts(log: Log, logs: Mapping[str, Log]) -> list[Counts]:
    entries = log.entries or [entry for one in logs.values() for entry in one.entries[-1:]]
    return [entry.counts for entry in entries if entry.counts is not None]


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


def _blank(request: PushRequest, held: _Held, now: datetime) -> Entry:
    """Return what every entry of this push says."""
    archive = held.archive
    return Entry(
        writer=held.log.writer,
        number=0,
        previous="",
        at=now.astimezone(UTC),
        target=str(request.target.absolute()),
        environment=environment_of(request.target.name),
        release=archive.release if archive else held.log.release,
        observations=archive.ids if archive else (),
        counts=None if held.alarms else held.counts,
    )


def _ship_log(  # noqa: PLR0913, PLR0917 - what is at hand, and where it goes
    request: PushRequest,
    held: _Held,
    lines: tuple[str, ...],
    shipper: Shipper,
    sent: _Sent,
    scratch: Path,
) -> None:
    """Ship rows and the ledger in one entry, raw files in as many as they need."""
    assert held.archive is not None  # noqa: S101 - asked where it was archived only
    rows = write_new_rows(held.archive, shipper.log, scratch, read_erased(request.vault))
    groups = batches(held.raw_files)
    if rows.parts or lines:
        first = groups.pop(0) if len(groups) == 1 else {}
        shipments = [*_parts(shipper.remote, rows), *_raw(request, shipper.remote, first)]
        parts = tuple(part for part, _ in rows.parts)
        shipper.ship(shipments, parts=parts, tables=rows.tables, raw_files=first, erasures=lines)
    for group in groups:
        shipper.ship(_raw(request, shipper.remote, group), raw_files=group)
    sent.versions = rows.versions
    sent.raw_files = len(held.raw_files)
    for _, path in rows.parts:
        path.unlink()


def _ship_backups(request: PushRequest, shipper: Shipper, sent: _Sent, scratch: Path) -> None:
    """Ship the good backups that are not there, oldest first, each with its raw files."""
    backups = list_backups(request.vault).backups
    for backup in new_backups(backups, shipper.log):
        found = describe_backup(request.vault, backup, scratch)
        if found is None:
            continue  # `midden verify` names what is wrong with it
        shipped = shipper.log.raw_files
        raw = {name: size for name, size in found.raw_files.items() if name not in shipped}
        for group in batches(raw):
            shipper.ship(_raw(request, shipper.remote, group), raw_files=group)
        shipper.ship(_files(shipper.remote, shipper.log, found), backups=(found.shipped,))
        sent.backups.append(backup.name)
        sent.raw_files += len(raw)


def _parts(remote: Remote, rows: NewRows) -> list[Shipment]:
    return [
        blob_of(remote, part.content.sha256, path, part.content.size) for part, path in rows.parts
    ]


def _raw(request: PushRequest, remote: Remote, sizes: Mapping[str, int]) -> list[Shipment]:
    digests = {name.rpartition("/")[2]: size for name, size in sizes.items()}
    return [
        blob_of(remote, digest, blob_path(request.vault, digest), size)
        for digest, size in digests.items()
    ]


def _files(remote: Remote, log: Log, backup: NewBackup) -> list[Shipment]:
    folder = backup_folder(log.writer, backup.shipped.name)
    return [
        Shipment(folder + remote.sealing.name_of(content.sha256), backup.files[name], content.size)
        for name, content in backup.shipped.files.items()
    ]
