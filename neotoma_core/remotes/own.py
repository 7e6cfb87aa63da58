"""Which log of a remote is a vault's own: the one that its archive continues."""

from collections.abc import Callable, Mapping
from pathlib import Path

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.archive_tables.reading import read_table
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

    return choose_log(logs, archive.record.archive, continues)


def choose_log(logs: Mapping[str, Log], archive: str, is_continued: Callable[[Log], bool]) -> Log:
    """Return the log that an archive continues: its own, or a new one.

    ``is_continued``: whether the archive has all that a log has. Where it has not, as after the
    vault was put back to an older copy of itself, that log stays as it is and another one is begun,
    so that nothing in it is lost.
    """
    writer = archive
    while (log := logs.get(writer)) is not None and not is_continued(log):
        writer = following_writer(writer, log.last_hash, len(archive))
    return log or Log(writer)


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
