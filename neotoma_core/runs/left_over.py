"""What runs that did not finish left in a vault and its archive, and what databases that are gone.

A log or a hot journal without its database ruins the next one that is put there, and may hold rows
that nothing else has: so it is named, kept as evidence, and removed before anything takes its
place.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from neotoma_core.archive_tables.reading import list_table
from neotoma_core.archive_tables.tables import ARCHIVE_FOLDER, is_archive, open_archive
from neotoma_core.archive_tables.unnamed import leftovers
from neotoma_core.errors import ArchiveError, TargetChanged, TargetError
from neotoma_core.files.headers import WITH_ROWS, companion, companions, database_of
from neotoma_core.report.findings import Finding
from neotoma_core.report.inventory import LeftLog
from neotoma_core.report.layout import escape_name
from neotoma_core.report.protection import Leftover
from neotoma_core.runs.commands import command, recover_command
from neotoma_core.runs.run import Run
from neotoma_core.salvage.declarations import mentions_neotoma
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.unpacking.walking import speaks_of_neotoma
from neotoma_core.vault import folder as vaults
from neotoma_core.vault.leftovers import bytes_left

_EVIDENCE: Final = (
    "a run that did not finish left this; the next one like it removes it, unless it is the only "
    "copy of something"
)
_LEFT_BEHIND: Final = "left-behind"
SAVING: Final = "to keep it as evidence and recover what it holds"
_ARCHIVE: Final = "no commit names this; the next `midden archive` removes what a killed run left"


def find_left_in(vault: Path) -> tuple[Leftover, ...]:
    """Return what runs that did not finish left; nothing while a run may be at it."""
    if vaults.is_in_use(vault):
        return ()
    return (*_evidence(vault), *_find_archives(vault / ARCHIVE_FOLDER))


def _evidence(vault: Path) -> Iterator[Leftover]:
    for name in vaults.list_unfinished_runs(vault):
        yield Leftover(str(vault / vaults.EVIDENCE / name), bytes_left(vault, name), _EVIDENCE)


def _find_archives(place: Path) -> Iterator[Leftover]:
    if not is_archive(place):
        return
    try:
        archive = open_archive(place)
        # Where it lost something, what no commit names may be all that is left of that.
        if any(list_table(archive, table).lost for table in archive.tables):
            return
        paths = leftovers(archive)
    except ArchiveError:  # `midden verify --archive` says what is wrong with it
        return
    for path in paths:
        yield Leftover(str(path), path.lstat().st_size, _ARCHIVE)


def logs_left(target: Path) -> tuple[Path, ...]:
    """Return the log and the journal of a database that is gone, where there is anything in them.

    None of one that is there.
    """
    if target.exists():
        return ()
    paths = (companion(target, suffix) for suffix in WITH_ROWS)
    return tuple(path for path in paths if path.is_file() and path.stat().st_size)


def find_left_logs(target: Path, vault: Path | None = None) -> tuple[LeftLog, ...]:
    """Return what is said of the logs of a database that is gone, and what to do with them."""
    next_one = command("recover", target=target, vault=vault)
    return tuple(
        LeftLog(escape_name(str(path)), path.stat().st_size, next_one) for path in logs_left(target)
    )


def logs_met(paths: Iterable[Path]) -> tuple[LeftLog, ...]:
    """Return what is said of logs that were met without their databases, as far as they are ours.

    Their names or the statements in them speak of Neotoma.
    """
    ours = [path for path in paths if speaks_of_neotoma(database_of(path).name)]
    ours += [path for path in paths if path not in ours and mentions_neotoma(database_of(path))]
    return tuple(log for path in sorted(ours) for log in find_left_logs(database_of(path)))


def missing_target(target: Path, vault: Path, advice: str = "check the spelling") -> TargetError:
    """Return the error of a target that is not there; it says so where its log is left."""
    logs = logs_left(target)
    if not logs:
        return TargetError(target, "there is no such file", advice)
    sizes = ", ".join(f"{path.name} of {path.stat().st_size:,} bytes" for path in logs)
    advice = f"{SAVING}: {recover_command(target, vault)}"
    return TargetError(target, f"the database is gone and left {sizes}", advice)


def require_kept(run: Run) -> None:
    """Raise TargetChanged where what a target that is gone left is not what was kept of it."""
    target, kept = run.path, run.folders.evidence / _LEFT_BEHIND
    if run.target_existed:
        return
    there = {path.name: sha256_of(path) for path in companions(target)}
    known = {path.name: sha256_of(path) for path in (kept.iterdir() if kept.is_dir() else ())}
    if there != known:
        raise TargetChanged(target)


def find_left_behind(run: Run) -> Iterator[Finding]:
    """Yield the files that a missing target left behind."""
    if not run.target_existed:
        for path in companions(run.path):
            kept = run.folders.evidence / _LEFT_BEHIND / path.name
            detail = f"{path.stat().st_size:,} bytes, of a database that is gone; kept as {kept}"
            yield Finding("left-behind", str(path), detail)
