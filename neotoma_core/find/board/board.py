"""Looking at every protected database: those that are configured, and those of the user's vaults.

Nothing is searched: each is compared with the backups of its own vault, so it is quick.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from neotoma_core.errors import MiddenError
from neotoma_core.files.atomic import write_file
from neotoma_core.find.board.page import board_page
from neotoma_core.find.board.report import BoardEntry, BoardReport
from neotoma_core.find.search import SearchRequest
from neotoma_core.find.status import check_status
from neotoma_core.pages.timeline import Mark, Point
from neotoma_core.report.progress import Progress
from neotoma_core.runs.begin import Whereabouts
from neotoma_core.settings.environment import (
    configuration,
    configured_vault,
    default_vault,
    key_source,
    raw_storage,
    vaults_of_user,
)
from neotoma_core.vault.backups import list_backups
from neotoma_core.vault.folder import DESCRIPTION, read_description
from neotoma_core.vault.manifests import Backup


def find_protected(named: Iterable[Path] = ()) -> tuple[Whereabouts, ...]:
    """Return the databases that are named, configured, or protected by a vault of the user's.

    Raises UsageError where the configuration is invalid.
    """
    places = [(path, default_vault(path)) for path in named]
    places += [(one.path, configured_vault(one)) for one in configuration().databases]
    for folder in vaults_of_user():
        if (folder / DESCRIPTION).is_file():
            with suppress(MiddenError):  # a vault that cannot be read names no database
                places.append((Path(read_description(folder).protects), folder))
    found = {path.absolute(): Whereabouts(path, vault) for path, vault in reversed(places)}
    return tuple(
        replace(one, key=key_source(), raw_storage=raw_storage(one.target))
        for one in reversed(found.values())
    )


def look_at_all(asked: Sequence[Whereabouts], now: datetime, progress: Progress) -> BoardReport:
    """Return the state of each database; what cannot be looked at is in the report."""
    entries = tuple(_entry(one, now, progress) for one in asked)
    return BoardReport(now.isoformat(), entries)


def write_board(report: BoardReport, page: Path, now: datetime) -> BoardReport:
    """Write the page; return the report that names it."""
    write_file(page, board_page(report, now))
    return replace(report, page=str(page))


def _entry(asked: Whereabouts, now: datetime, progress: Progress) -> BoardEntry:
    status, problem = None, None
    try:
        status = check_status(asked, SearchRequest(()), now, progress)
    except MiddenError as error:
        problem = str(error)
    points: tuple[Point, ...] = ()
    try:
        points = tuple(_points(list_backups(asked.vault).backups))
    except MiddenError as error:
        problem = problem or str(error)
    return BoardEntry(str(asked.target), str(asked.vault), status, problem, points)


def _points(backups: Sequence[Backup]) -> Iterator[Point]:
    for backup in backups:
        manifest, state = backup.manifest, backup.state
        rows = manifest.counts.observations
        yield Point(manifest.taken_at, rows, _mark(backup), state.verified_at)


def _mark(backup: Backup) -> Mark:
    state = backup.state
    if state.is_after_loss or (state.drill is not None and state.drill.outcome == "fail"):
        return "bad"
    return "good" if backup.is_good else "warn"
