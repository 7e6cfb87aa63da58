"""Which log of a remote is a vault's own: the one that its archive continues.

A vault that was copied, or put back to an older copy of itself, is one archive that goes several
ways. Each copy has one log, which has nothing that the copy has not: the first that pushes goes on
with the log that was there, and any other begins one, once, and goes on with that.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.record import Record
from neotoma_core.archive_tables.tables import ARCHIVE_FOLDER, DESCRIPTION, Archive, open_archive
from neotoma_core.ledger.file import read_ledger
from neotoma_core.remotes.log import Log, following_writer
from neotoma_core.row_versions.columns import ARCHIVED_AT


def own_archive(vault: Path) -> Archive | None:
    """Return the archive of a vault, None where it has none yet; raises ArchiveError."""
    place = vault / ARCHIVE_FOLDER
    return open_archive(place) if (place / DESCRIPTION).exists() else None


def own_log(vault: Path, logs: Mapping[str, Log], archive: Archive | None) -> Log:
    """Return the log of a remote that an archive of a vault continues, or a new one.

    One without a writer where there is no archive yet.
    """
    if archive is None or archive.record is None:
        return Log("")
    ledger = read_ledger(vault).lines

    def continues(log: Log) -> bool:
        return ledger[: len(log.erasures)] == log.erasures and is_continued(archive, log)

    return choose_log(logs, archive.record, continues)


def choose_log(logs: Mapping[str, Log], record: Record, is_continued: Callable[[Log], bool]) -> Log:
    """Return the log that an archive continues, of those that are of it, or a new one.

    ``is_continued``: whether the archive has all that a log has. Of several such logs the one that
    goes furthest is meant: what one has that was begun by another copy is all from before that. A
    log that is not continued stays as it is, so nothing in it is lost.
    """
    there = [log for log in logs.values() if log.archive == record.archive]
    for log in sorted(there, key=lambda log: (log.until, log.writer), reverse=True):
        if is_continued(log):
            return log
    writer = record.archive
    state = " ".join(f"{name} {held.digest}" for name, held in sorted(record.tables.items()))
    while writer in logs:
        writer = following_writer(writer, state)
    return Log(writer)


def is_continued(archive: Archive, log: Log) -> bool:
    """Return whether an archive goes on from a log: it has the last run that the log has.

    Moments of runs are never the same: an archive that was put back to an older copy of itself, and
    went on from there, does not have it.
    """
    return all(_has(archive, table, said) for table, said in log.tables.items())


def _has(archive: Archive, table: str, said: Committed) -> bool:
    if said.until < 0 or is_up_to_date(said, archive.commit_of(table)):
        return True
    moments = read_table(archive, table, (ARCHIVED_AT,)).rows[ARCHIVED_AT]
    return bool((moments.dt.epoch("us") == said.until).any())


def is_up_to_date(said: Committed | None, own: Committed | None) -> bool:
    """Return whether a table of a log goes as far as the archive's record says it does."""
    if own is None:
        return False
    return own.rows == 0 if said is None else said.until == own.until
