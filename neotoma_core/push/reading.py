"""Reading a database for a push, whatever is known of it: counted, archived, its raw files kept."""

from collections.abc import Mapping
from contextlib import closing
from datetime import datetime

from neotoma_core.archive.append import ArchiveRequest, append_database, default_archive
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.backup.raw_files import names_of_raw_files
from neotoma_core.backup.standing import find_unexplained, history_of
from neotoma_core.comparison.anomaly import Counts
from neotoma_core.comparison.measuring import count_contents
from neotoma_core.erased.files import find_erased_files
from neotoma_core.errors import RemoteForeign
from neotoma_core.ledger.explained import Counted, find_losses
from neotoma_core.ledger.file import read_erased
from neotoma_core.neotoma.environments import environment_of
from neotoma_core.neotoma.json import stringify
from neotoma_core.push.holding import Held
from neotoma_core.push.raw_files import keep_new_raw_files
from neotoma_core.push.request import PushRequest
from neotoma_core.push.signs import note_archived, signs_of
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.own import own_archive, own_log
from neotoma_core.remotes.remote import Remote
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.runs.private_copy import PrivateCopy, private_copy
from neotoma_core.sqlite.opening import connect_read_only
from neotoma_core.vault.backups import list_backups


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
        if not log.writer:  # one that an archive continues is continued by what it gained
            log = own_log(request.vault, logs, archive)
        raw = keep_new_raw_files(copy, request.raw_storage, log.raw_files.keys())
        gone = find_erased_files(
            read_erased(request.vault), log.raw_files, names_of_raw_files(copy.whole)
        )
        if not any(finding.kind.startswith("archive-") for finding in appended.findings):
            note_archived(remote.cache, signs, archive)
        return Held(log, archive, counts, raw, (), appended.findings, frozenset(gone))


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
    found = find_losses(counts, history, request.vault)
    return tuple(map(str, found)) or (frozen.state.alarms or () if frozen else ())


def _pushed_counts(log: Log, logs: Mapping[str, Log]) -> list[Counted]:
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
