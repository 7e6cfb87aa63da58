"""The archive: a folder of Delta tables, and ``archive.json`` that says what it is.

::

    archive.json      format version; the database it is of, by ids of its observations, and the
                      newest release of Neotoma that it showed
    committed.json    what each table last committed (``archive_tables/record.py``)
    lock              held by the run that appends or compacts
    <table>/          a Delta table: ``_delta_log/`` and Parquet files (``row_versions/columns.py``)
    pins.json         which versions of its tables are kept, by name
    .known/           notes that make the next run quicker (``row_versions/known_rows.py``)
    removed_rows/     a Delta table: versions of rows that are gone from the database

Invariant: a file is never changed, and what no commit of a table names does not exist. Order of
an append: files written → commit names them → both forced to the disk → recorded. One commit per
table and run, so a run that was killed leaves whole tables old or new; the next one adds what is
missing, and to the record what was committed without it. A table that has less than was recorded
has lost it.
"""

import errno
import re
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, DeltaProtocolError, TableNotFoundError

from neotoma_core.archive_tables.committed import Committed
from neotoma_core.archive_tables.record import (
    COPY,
    RECORD,
    NotARecord,
    Record,
    read_record,
    write_record,
)
from neotoma_core.documents.models import NotAsModelled, is_newer, read_model
from neotoma_core.errors import (
    ArchiveBusy,
    ArchiveDamaged,
    ArchiveError,
    NativePanic,
    VaultDamaged,
    reason_of,
    without_panic,
)
from neotoma_core.files.exact_paths import table_to_read
from neotoma_core.files.failures import failure_of
from neotoma_core.files.locking import exclusive
from neotoma_core.files.private import make_folders, make_private
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.neotoma.versions import SETTLED, release_named
from neotoma_core.row_versions.columns import FORMAT, SCHEMAS
from neotoma_core.vault.documents import ArchiveDescription
from neotoma_core.vault.folder import ARCHIVE, read_json, write_json

ARCHIVE_FOLDER: Final = ARCHIVE
DESCRIPTION: Final = "archive.json"
LOCK: Final = "lock"
_KIND: Final = "midden archive"
_TABLE_FORMAT: Final = "midden archive format "
_READER_VERSION: Final = 1
_UNSUPPORTED: Final = "Kernel error: Unsupported"
_OBSERVATIONS: Final = "observations"
_COMMITS: Final = "_delta_log"
_SHOWN_IDS: Final = 32
_ENTRY: Final = re.compile(r"\d{20}\.(json|checkpoint\..*parquet)")


@dataclass(frozen=True, slots=True)
class Archive:
    """One archive. ``ids``: of some observations of the database it is of; none at first.

    ``record``: what its tables have committed; None where it was made by a midden that kept none,
    or where it is not to be had: ``wrong`` says why. ``harmed``: files next to the tables that are
    missing or damaged; the next run writes what it knows of them from others. ``release``: the
    newest that the database showed.
    """

    path: Path
    ids: tuple[str, ...] = ()
    record: Record | None = None
    wrong: str = ""
    harmed: tuple[Path, ...] = ()
    release: str = SETTLED

    def has(self, table: str) -> bool:
        """Return whether a table is there: something was committed to it."""
        log = self.path / table / _COMMITS
        with suppress(FileNotFoundError, NotADirectoryError):
            return any(_ENTRY.fullmatch(path.name) for path in log.iterdir())
        return False

    def commit_of(self, table: str) -> Committed | None:
        """Return what a table is recorded to have committed, if anything."""
        return self.record.tables.get(table) if self.record else None

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that are or should be there, those of removed rows last."""
        return tuple(name for name in SCHEMAS if self.has(name) or self.commit_of(name))


def is_archive(path: Path) -> bool:
    """Return whether ``path`` is a folder that says it is an archive, or has the tables of one."""
    says = any((path / name).is_file() for name in (DESCRIPTION, RECORD, COPY))
    return says or (path / _OBSERVATIONS / _COMMITS).is_dir()


def open_archive(path: Path) -> Archive:
    """Return the archive in a folder; raises ArchiveError for what is not a readable archive.

    An archive with a faulty record is opened all the same: ``wrong`` says what is wrong.
    """
    if not is_archive(path):
        wrong = "not an archive (it has no archive.json)"
        if not path.is_dir():
            wrong = "there is no such folder"
        raise ArchiveError(path, wrong, "name the folder that `midden archive` wrote")
    try:
        record, harmed = read_record(path)
        wrong = ""
    except NotARecord as error:
        record, harmed, wrong = None, False, str(error)
    described = _description(path)
    if described is None and record is None:
        wrong = f"its {DESCRIPTION} cannot be read"
        if not (path / DESCRIPTION).exists():
            wrong = f"it lost {DESCRIPTION}, {RECORD} and {COPY}, and only its tables are left"
        advice = "restore them from a copy, or move the folder away and archive again"
        raise ArchiveDamaged(path, wrong, advice)
    if described is not None and described.get("format") != FORMAT:
        raise ArchiveError(path, "made by a newer midden", "update midden")
    known = described or {}
    if record is None and known.get("recorded") and not wrong:
        wrong = "the record of its commits is missing"
    ids = known.get("observations")
    files = {DESCRIPTION: described is None, RECORD: harmed}
    return Archive(
        path,
        tuple(map(str, ids)) if isinstance(ids, list) else (),
        record,
        wrong,
        tuple(path / name for name, is_so in files.items() if is_so) if record else (),
        release_named(known.get("release")),
    )


def _description(path: Path) -> dict[str, JsonValue] | None:
    """Return what ``archive.json`` says; None where it is missing or cannot be read."""
    try:
        described = read_json(path / DESCRIPTION)
    except (VaultDamaged, OSError):
        return None
    if not isinstance(described, dict) or described.get("kind") != _KIND:
        return None
    if is_newer(described.get("format"), FORMAT):
        return described
    try:
        read_model(ArchiveDescription, described)
    except NotAsModelled as error:
        wrong, advice = f"not as it was written: {error}", "restore it from a copy"
        raise ArchiveDamaged(path / DESCRIPTION, wrong, advice) from None
    return described


def make_folder(path: Path) -> None:
    """Make the folder of an archive, where it is not there.

    Raises ArchiveError where it cannot be made, or holds anything but an archive.
    """
    try:
        make_folders(path)
        names = [p.name for p in path.iterdir() if not p.name.startswith(".")]
        others = [name for name in names if name not in {LOCK, RECORD, COPY}]
    except OSError as error:
        raise ArchiveError(path, reason_of(error), "choose another folder") from error
    # Looked for after the others: it comes first in an archive that another run is beginning.
    if others and not is_archive(path):
        raise ArchiveError(path, "the folder holds other files", "choose an empty folder")


def create_archive(path: Path) -> Archive:
    """Return the archive in a folder that is locked, making one where there is none."""
    if not is_archive(path):
        record = Record()
        write_record(path, record)
        describe(Archive(path, record=record), ())
    return open_archive(path)


def describe(archive: Archive, ids: Iterable[str]) -> None:
    """Write down by which observations the archive knows its database, and its release."""
    known = sorted(set(ids))[:_SHOWN_IDS]
    content: dict[str, JsonValue] = {
        "kind": _KIND,
        "format": FORMAT,
        "observations": list(known),
        "release": archive.release,
    }
    recorded: dict[str, JsonValue] = {"recorded": True} if archive.record else {}
    write_json(archive.path / DESCRIPTION, content | recorded)


def record_commits(archive: Archive, commits: Mapping[str, Committed]) -> Archive:
    """Add to the record what tables have committed; return the archive with it.

    An archive that kept none until now is given one.
    """
    record = archive.record or Record()
    record = replace(record, tables={**record.tables, **commits})
    write_record(archive.path, record)
    recorded = replace(archive, record=record, harmed=())
    if archive.record is None or archive.harmed:
        describe(recorded, archive.ids)
    return recorded


def record_found(archive: Archive, found: Mapping[str, Committed]) -> Archive:
    """Record what tables were found to have committed, as a run that was killed did not."""
    recorded = archive.record.tables if archive.record else None
    new = recorded is None or any(recorded.get(name) != state for name, state in found.items())
    return record_commits(archive, found) if new or archive.harmed else archive


@contextmanager
def lock_archive(path: Path, patience: float = 0.0) -> Iterator[None]:
    """Keep others from writing to the archive in a folder; wait ``patience`` seconds for them.

    Raises ArchiveBusy, ArchiveError.
    """
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(path / LOCK, patience, lambda: ArchiveBusy(path)))
        except OSError as error:
            raise ArchiveError(path, reason_of(error), "change its permissions") from error
        make_private(path)
        held.callback(make_private, path)  # what Delta wrote meanwhile
        yield


def open_table(archive: Archive, table: str, at: Path | None = None) -> DeltaTable:
    """Return one table as it is now; ``at``: where Delta is to write to it (``table_to_change``).

    Raises ArchiveError where a later format wrote it, ArchiveDamaged where its log is unreadable
    or it is a table of another archive.
    """
    place = archive.path / table
    try:
        opened = without_panic(str(place), lambda: _open(at) if at else _load(place))
        protocol, metadata = opened.protocol(), opened.metadata()
    except DeltaProtocolError as error:
        raise ArchiveError(place, "a later format wrote this table", "update midden") from error
    except TableNotFoundError as error:
        raise ArchiveDamaged(place, "its log is missing", "restore it from a copy") from error
    except (DeltaError, OSError, ValueError, NativePanic) as error:
        if _UNSUPPORTED in str(error):  # a protocol, or a feature of one
            raise ArchiveError(place, "a later format wrote this table", "update midden") from error
        failure = failure_of(error, place)
        if failure is not None and failure.number != errno.ENOENT:
            raise ArchiveError(place, failure.reason, "check its disk and run again") from error
        raise ArchiveDamaged(place, "its log cannot be read", "restore it from a copy") from error
    if protocol.min_reader_version > _READER_VERSION or metadata.description != table_description():
        raise ArchiveError(place, "a later format wrote this table", "update midden")
    if not _is_own(archive, archive.commit_of(table), str(metadata.id), metadata.name):
        wrong = "a table of another archive, or a recreated one, is in its place"
        raise ArchiveDamaged(place, wrong, "restore it from a copy")
    return opened


def _load(place: Path) -> DeltaTable:
    """Return a table, with what Delta may still read of it for as long as it is used."""
    with ExitStack() as used:
        opened = _open(used.enter_context(table_to_read(place)))
        weakref.finalize(opened, used.pop_all().close)
        return opened


def _open(at: Path) -> DeltaTable:
    return DeltaTable(str(at))


def _is_own(archive: Archive, known: Committed | None, identifier: str, name: str | None) -> bool:
    """Return whether a table is the archive's, by what Delta and the archive that made it call it.

    One in no record yet is recognised by its name; a midden that kept no record gave none.
    """
    if known is not None:
        return identifier == known.id
    return not name or archive.record is None or name == archive.record.archive


def table_description() -> str:
    """Return what a table of today's format says of itself."""
    return f"{_TABLE_FORMAT}{FORMAT}"
