"""What runs that did not finish left in a vault and its archive, and a target that is gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from neotoma_core.errors import ArchiveError
from neotoma_core.ops.run import Run
from neotoma_core.report.findings import Finding
from neotoma_core.report.protection import Leftover
from neotoma_core.store import vault as vaults
from neotoma_core.store.archive import ARCHIVE_FOLDER, is_archive, open_archive
from neotoma_core.store.archive_strays import leftovers
from neotoma_core.store.run_leftovers import bytes_left
from neotoma_core.store.sqlite_files import companions

_EVIDENCE: Final = (
    "a run that did not finish left this; the next one like it removes it, unless it is the only "
    "copy of something"
)
_ARCHIVE: Final = "no commit names this; the next `midden archive` removes what a killed run left"


def left_in(vault: Path) -> tuple[Leftover, ...]:
    """Return what runs that did not finish left; nothing while a run may be at it."""
    if vaults.is_in_use(vault):
        return ()
    return (*_evidence(vault), *_archived(vault / ARCHIVE_FOLDER))


def _evidence(vault: Path) -> Iterator[Leftover]:
    for name in vaults.unfinished_runs(vault):
        yield Leftover(str(vault / vaults.EVIDENCE / name), bytes_left(vault, name), _EVIDENCE)


def _archived(place: Path) -> Iterator[Leftover]:
    if not is_archive(place):
        return
    try:
        paths = leftovers(open_archive(place))
    except ArchiveError:  # `midden verify --archive` says what is wrong with it
        return
    for path in paths:
        yield Leftover(str(path), path.lstat().st_size, _ARCHIVE)


def left_behind(run: Run) -> Iterator[Finding]:
    """Yield the files that a target which is gone left beside it."""
    if not run.target_existed:
        for path in companions(run.request.target):
            kept = run.folders.evidence / "left-behind" / path.name
            detail = f"{path.stat().st_size:,} bytes, of a database that is gone; kept as {kept}"
            yield Finding("left-behind", str(path), detail)
