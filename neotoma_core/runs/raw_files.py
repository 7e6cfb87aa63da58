"""Raw source files: which the backups have and the target lacks, and bringing them over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from neotoma_core.files.atomic import folders_of, sync_together
from neotoma_core.neotoma.environments import RAW_FOLDERS, STORED_FILE, Environment, environment_of
from neotoma_core.report.progress import Progress
from neotoma_core.runs.run import Run
from neotoma_core.vault import folder as vault
from neotoma_core.vault.blobs import blob_folder, list_blobs, restore_blobs
from neotoma_core.vault.raw_files import (
    copy_raw_files,
    list_raw_files,
    move_raw_file,
)
from neotoma_core.vault.raw_folders import RawFolder, folders_beside, folders_in_use

_BLOCK = 4096  # what a file of one byte takes on most disks
_LEVELS = 3  # of folders that may be new: a user's, the one of raw files, and the one it is in


@dataclass(frozen=True, slots=True)
class RawListing:
    """Every raw file of every database, hashed.

    ``files``: ``folder``, ``belongs_in``, ``name``, ``size`` (bytes), ``sha256``, ``damaged``,
    ``shared`` (it counts only where a source names it).
    """

    files: pl.DataFrame


@dataclass(frozen=True, slots=True)
class RawPlan:
    """Which files to bring over. ``copies`` and ``repairs``: rows of a listing, one per name.

    ``missing`` and ``damaged``: names, sorted.
    """

    copies: pl.DataFrame
    repairs: pl.DataFrame
    missing: tuple[str, ...]
    damaged: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """How many bytes will be written."""
        return int(self.copies["size"].sum()) + int(self.repairs["size"].sum())


def list_all(run: Run) -> RawListing:
    """Hash every raw file of every database of the run, each folder once."""
    folders = {folder.path.resolve(): (folder, place) for folder, place in _by_weight(run)}
    listings = [
        _list_files(list_raw_files(folder.path), folder.path, place, shared=folder.shared)
        for folder, place in folders.values()
    ]
    nowhere = run.folders.work / "nowhere"
    empty = _list_files(list_raw_files(nowhere), nowhere, nowhere, shared=False)
    return RawListing(pl.concat([empty, *listings]))


def plan_raw_files(run: Run, listing: RawListing, sources: pl.DataFrame) -> RawPlan:
    """Decide which files to bring over; ``sources``: the merged rows of that table.

    What no copy has may still be in the vault, of an earlier backup.
    """
    plan = decide_raw_files(listing, sources)
    vault_folder, place = run.folders.vault, own_folders(run)[0].path
    kept = list_blobs(vault_folder, (*plan.missing, *plan.damaged))
    if kept.is_empty():
        return plan
    rows = _list_files(kept, blob_folder(vault_folder), place, shared=True)
    return decide_raw_files(RawListing(pl.concat([listing.files, rows])), sources)


def decide_raw_files(listing: RawListing, sources: pl.DataFrame) -> RawPlan:
    """Decide which of the files listed to bring over."""
    stored = pl.col("storage_url").str.contains(STORED_FILE)
    wanted = sources.filter(stored).select(name="storage_url").unique()
    is_named = pl.col("name").is_in(wanted["name"].implode())
    files = listing.files.filter(~pl.col("shared") | is_named)
    here = pl.col("folder") == pl.col("belongs_in")
    place = ["belongs_in", "name"]
    there = files.filter(here)
    offered = files.filter(~here & ~pl.col("damaged")).unique(
        place, keep="first", maintain_order=True
    )
    copies = offered.join(there, on=place, how="anti", maintain_order="left")
    repairs = offered.join(there.filter("damaged"), on=place, how="semi", maintain_order="left")
    good = pl.concat([there.filter(~pl.col("damaged")), offered]).select("name").unique()
    damaged = files.filter("damaged").join(good, on="name", how="anti")
    absent = wanted.join(good, on="name", how="anti").join(damaged, on="name", how="anti")
    return RawPlan(
        copies,
        repairs,
        tuple(absent["name"].sort()),
        tuple(damaged["name"].unique().sort()),
    )


def require_space(plan: RawPlan) -> None:
    """Raise DiskFull where the files do not fit."""
    blocks = (pl.col("size") + _BLOCK - 1) // _BLOCK * _BLOCK
    for (place,), files in plan.copies.partition_by("belongs_in", as_dict=True).items():
        vault.require_room(Path(place), int(files.select(blocks.sum()).item()), "raw files")


def bring_over(run: Run, plan: RawPlan, progress: Progress) -> tuple[str, ...]:
    """Copy what is planned and sync it; return the names that could not be copied after all.

    A damaged file of the target moves into the evidence before a good copy takes its name.
    """
    failed: list[str] = []
    written: list[Path] = []
    for row in plan.repairs.iter_rows(named=True):
        aside = run.folders.evidence / "raw_files_damaged"
        move_raw_file(Path(row["belongs_in"]), row["name"], aside)
    for files in (plan.copies, plan.repairs):
        groups = files.partition_by("folder", "belongs_in", as_dict=True)
        for (folder, place), part in groups.items():
            lost = set(_copy_files(run, Path(folder), Path(place), part, progress))
            failed.extend(lost)
            written.extend(Path(place, name) for name in part["name"] if name not in lost)
    sync_together(written, folders_of(written, _LEVELS))
    return tuple(failed)


def _copy_files(
    run: Run, folder: Path, place: Path, files: pl.DataFrame, progress: Progress
) -> Sequence[str]:
    """Copy files from one folder; return the names that failed."""
    names = files["name"].to_list()
    if folder == blob_folder(run.folders.vault):
        _, lost = restore_blobs(run.folders.vault, names, place)
        return lost
    _, failed = copy_raw_files(folder, names, place, progress.advance)
    return failed


def _list_files(files: pl.DataFrame, folder: Path, place: Path, *, shared: bool) -> pl.DataFrame:
    return files.select(
        pl.lit(str(folder)).alias("folder"),
        pl.lit(str(place)).alias("belongs_in"),
        *files.columns,
        pl.lit(shared).alias("shared"),
    )


def _by_weight(run: Run) -> Iterator[tuple[RawFolder, Path]]:
    """Yield every folder of raw files and where its files belong.

    Of a folder that comes more than once the last counts: it is the target's own, or else one that
    a database need not share.
    """
    own = own_folders(run)
    found = [(folder, own[0].path) for folder in own if folder.shared]
    found += [
        (folder, _belongs_in(run, folder.environment))
        for database in run.others
        for place in database.raw_places
        for folder in folders_beside(place, database.environment or run.target_environment)
    ]
    yield from sorted(found, key=lambda one: not one[0].shared)
    yield from ((folder, folder.path) for folder in own if not folder.shared)


def own_folders(run: Run) -> tuple[RawFolder, ...]:
    """Return where the raw files of a run's target may be, first where Neotoma keeps them."""
    return folders_in_use(run.path, run.target_environment, run.raw_storage)


def _belongs_in(run: Run, environment: Environment) -> Path:
    if run.raw_storage is not None:
        return run.raw_storage
    known = run.target_environment or environment
    return run.path.absolute().parent / RAW_FOLDERS[known]


def raw_folders_of(database: Path, configured: Path | None) -> list[Path]:
    """Return where a database's raw files may be. ``configured``: NEOTOMA_RAW_STORAGE_DIR."""
    known = environment_of(database.name)
    return [folder.path for folder in folders_in_use(database, known, configured)]
