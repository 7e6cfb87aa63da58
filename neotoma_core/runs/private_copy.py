"""Reading a database as of one moment: a private copy in the vault, which goes with the run."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from neotoma_core.files.headers import companions
from neotoma_core.runs.begin import Asked, target_run
from neotoma_core.runs.left_over import missing_target
from neotoma_core.runs.run import Run
from neotoma_core.sqlite.copies import copy_privately
from neotoma_core.sqlite.inspection import StoredTable, list_tables
from neotoma_core.sqlite.opening import connect_read_only, make_whole
from neotoma_core.vault import folder as vault

PRIVATE: Final = "private"
"""The folder of a copy, in the scratch of its run."""

_HEADROOM: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class PrivateCopy:
    """A whole copy of a database; ``original`` is what messages call it."""

    run: Run
    original: Path
    whole: Path
    stored: Mapping[str, StoredTable]

    @property
    def run_name(self) -> str:
        """The name of the run that made it."""
        return self.run.folders.name

    @property
    def vault(self) -> Path:
        """The vault of that run."""
        return self.run.folders.vault


@contextmanager
def private_copy(asked: Asked, now: datetime) -> Iterator[PrivateCopy]:
    """Copy a database into the scratch of a run, to be read as of this moment.

    Raises TargetError, TargetLocked, BackupError, DiskFull, VaultError.
    """
    with target_run(asked, now) as run:
        if run.target is None:
            raise missing_target(asked.target, asked.vault)
        yield copy_into_scratch(run)


def copy_into_scratch(run: Run) -> PrivateCopy:
    """Make a private copy of the database that a run is about; the run has the vault."""
    original, folders = run.path, run.folders
    needed = sum(path.stat().st_size for path in (original, *companions(original)))
    vault.require_room(folders.vault, 2 * needed + _HEADROOM)
    folder = folders.work / PRIVATE
    folder.mkdir(mode=0o700)
    whole = make_whole(copy_privately(original, folder), original, folder / "whole")
    with closing(connect_read_only(whole)) as connection:
        stored = {table.name: table for table in list_tables(connection, original)}
    return PrivateCopy(run, original, whole, stored)
