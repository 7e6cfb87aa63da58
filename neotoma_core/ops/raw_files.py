"""Raw source files: which the backups have and the target lacks, and bringing them over."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from neotoma_core.environments import RAW_FOLDERS, Environment, environment_of
from neotoma_core.erasure.naming import STORED_FILE
from neotoma_core.errors import DiskFull
from neotoma_core.ops.progress import Progress
from neotoma_core.ops.run import DatabaseRef, Run
from neotoma_core.store import vault
from neotoma_core.store.raw_files import (
    copy_raw_files,
    list_raw_files,
    move_raw_file,
    sync_everything,
)

_BLOCK = 4096  # what a file of one byte takes on most disks


@dataclass(frozen=True, slots=True)
class RawFolder:
    """A folder of raw files beside a database, and the folder its files belong in."""

    path: Path
    belongs_in: Path


@dataclass(frozen=True, slots=True)
class RawListing:
    """Every raw file of every database, hashed.

    ``files``: ``folder``, ``belongs_in``, ``name``, ``size`` (bytes), ``sha256``, ``damaged``.
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
    """Hash every raw file beside every database of the run, each folder once."""
    target = target_folders(run)
    folders = {folder.path.resolve(): folder for folder in _folders(run)}
    folders |= {place.resolve(): RawFolder(place, place) for place in target}
    listings = [
        list_raw_files(folder.path).with_columns(
            folder=pl.lit(str(folder.path)), belongs_in=pl.lit(str(folder.belongs_in))
        )
        for folder in folders.values()
    ]
    columns = ["folder", "belongs_in", "name", "size", "sha256", "damaged"]
    empty = list_raw_files(run.folders.work / "nowhere").with_columns(
        folder=pl.lit("", pl.String), belongs_in=pl.lit("", pl.String)
    )
    return RawListing(pl.concat([empty, *listings]).select(columns))


def plan_raw_files(listing: RawListing, sources: pl.DataFrame) -> RawPlan:
    """Decide which files to bring over; ``sources``: the merged rows of that table."""
    files = listing.files
    here = pl.col("folder") == pl.col("belongs_in")
    place = ["belongs_in", "name"]
    there = files.filter(here)
    offered = files.filter(~here & ~pl.col("damaged")).unique(
        place, keep="first", maintain_order=True
    )
    copies = offered.join(there, on=place, how="anti", maintain_order="left")
    repairs = offered.join(there.filter("damaged"), on=place, how="semi", maintain_order="left")
    good = pl.concat([there.filter(~pl.col("damaged")), offered]).select("name").unique()
    stored = pl.col("storage_url").str.contains(STORED_FILE)
    wanted = sources.filter(stored).select(name="storage_url").unique()
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
        folder, needed = Path(place), int(files.select(blocks.sum()).item())
        free = vault.free_bytes(folder)
        if free < needed:
            raise DiskFull(folder, needed, free)


def bring_over(run: Run, plan: RawPlan, progress: Progress) -> tuple[str, ...]:
    """Copy what is planned and sync it; return the names that could not be copied after all.

    A damaged file of the target moves into the evidence before a good copy takes its name.
    """
    failed: list[str] = []
    for row in plan.repairs.iter_rows(named=True):
        aside = run.folders.evidence / "raw_files_damaged"
        move_raw_file(Path(row["belongs_in"]), row["name"], aside)
    for files in (plan.copies, plan.repairs):
        groups = files.partition_by("folder", "belongs_in", as_dict=True)
        for (folder, place), part in groups.items():
            names = part["name"].to_list()
            _, lost = copy_raw_files(Path(folder), names, Path(place), progress.advance)
            failed.extend(lost)
    if plan.copies.height or plan.repairs.height:
        sync_everything()
    return tuple(failed)


def _folders(run: Run) -> Iterable[RawFolder]:
    for database in run.backups:
        for path, environment in _beside(database, run.target_environment):
            yield RawFolder(path, _belongs_in(run, environment))


def _beside(
    database: DatabaseRef, expected: Environment | None
) -> Iterable[tuple[Path, Environment]]:
    """Yield the raw folders beside a database and the environment each is of.

    A database whose name says nothing is taken to be of the ``expected`` environment.
    Neotoma's own backup folders call theirs ``sources`` in every environment (format, 6.4); a
    manifest beside the database tells them apart.
    """
    parent = database.found_at.parent
    if (parent / "manifest.json").exists() and (parent / "sources").is_dir():
        yield parent / "sources", database.environment or expected or "production"
        return
    known = database.environment or expected
    for environment, name in RAW_FOLDERS.items():
        if known in (environment, None) and (parent / name).is_dir():
            yield parent / name, environment


def _belongs_in(run: Run, environment: Environment) -> Path:
    known = run.target_environment or environment
    return run.request.target.parent / RAW_FOLDERS[known]


def target_folders(run: Run) -> list[Path]:
    """Return where the target's raw files are: one folder, or both where its name says nothing."""
    return raw_folders_of(run.request.target)


def raw_folders_of(database: Path) -> list[Path]:
    """Return where a database's raw files are: one folder, or both where its name says nothing."""
    environment = environment_of(database.name)
    names = [RAW_FOLDERS[environment]] if environment else list(RAW_FOLDERS.values())
    return [database.parent / name for name in names]
