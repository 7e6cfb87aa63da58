"""What a log of a remote holds, as a folder of this machine like a vault's.

::

    <folder>/vault.json, erasures.jsonl   what its writer erased
    <folder>/archive/                     the log, as an archive like any other
    <folder>/sources/, sources_prod/      raw files, those that are wanted

So whatever reads an archive, holds to a ledger, or looks for raw files next to a backup, does so
with what came from a remote.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive_tables.committed import (
    Committed,
    continue_committed,
    is_held,
    joined_links,
    links_of,
    proving_columns,
)
from neotoma_core.archive_tables.tables import (
    ARCHIVE_FOLDER,
    Archive,
    create_archive,
    describe,
    lock_archive,
    make_folder,
    record_commits,
)
from neotoma_core.archive_tables.writing import add_committed, append
from neotoma_core.erased.hashed import ErasedIds
from neotoma_core.errors import DiskFull, RemoteDamaged
from neotoma_core.files.exact_paths import parquet_columns, read_parquet
from neotoma_core.ledger.file import place_ledger
from neotoma_core.neotoma.environments import RAW_FOLDERS, Environment
from neotoma_core.neotoma.versions import release_named
from neotoma_core.remotes.contents import Wanted, blob, count_needed_bytes, fetch_all
from neotoma_core.remotes.kept_parts import forget_erased, kept_place
from neotoma_core.remotes.log import Log
from neotoma_core.remotes.models import Content, Part
from neotoma_core.remotes.remote import Remote
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import SCHEMAS
from neotoma_core.vault.folder import free_bytes, open_vault

TRANSFERS: Final = "transfers"
_ROOM: Final = 3  # times what is downloaded: sealed, opened, and what is built of it


@dataclass(frozen=True, slots=True)
class RemoteCopy:
    """What came from one log. ``archive``: the folder; ``target``: what its writer protects.

    ``raw_files``: how many came; ``pushed_at``: when its writer pushed last.
    """

    writer: str
    archive: Path
    target: Path
    raw_files: int
    pushed_at: datetime


def copy_log(  # noqa: PLR0913 - what, where to, and what of it stays
    remote: Remote,
    log: Log,
    folder: Path,
    raw_files: AbstractSet[str],
    progress: Progress,
    *,
    keeping: ErasedIds | None = None,
) -> RemoteCopy:
    """Bring what a log holds into a new folder, proven against what its entries say.

    ``raw_files``: names of those that are wanted. ``keeping``: its parts are kept for the next
    time, but for those with rows that were erased. Raises RemoteDamaged, DiskFull, IdentityMissing,
    IdentityWrong, and what a store raises; what was downloaded by then is not downloaded again.
    """
    last = log.entries[-1]
    transfers = remote.cache / TRANSFERS
    parts = [(part, transfers / part.content.sha256) for part in log.parts]
    environment = _environment(last.environment)
    place = folder / RAW_FOLDERS[environment or "development"]
    renamed = log.renamed
    wanted = [
        replace(
            blob(remote, part.content, path, renamed),
            kept=kept_place(remote, part),
            keeps=keeping is not None,
        )
        for part, path in parts
    ]
    files = list(_raw_files(remote, log, place, raw_files))
    needed = _ROOM * count_needed_bytes(wanted) + count_needed_bytes(files)
    free = free_bytes(remote.cache)
    if free < needed:
        raise DiskFull(remote.cache, needed, free)
    open_vault(folder, Path(last.target))
    fetch_all(remote, [*wanted, *files], progress)
    place_ledger(folder, log.erasures)
    archive = _build_archive(remote, log, folder / ARCHIVE_FOLDER, parts, progress)
    if keeping is not None:
        forget_erased(remote, parts, keeping)
    for _, path in parts:
        path.unlink(missing_ok=True)
    return RemoteCopy(log.writer, archive, Path(last.target), len(files), last.at)


def _build_archive(
    remote: Remote, log: Log, place: Path, parts: Sequence[tuple[Part, Path]], progress: Progress
) -> Path:
    make_folder(place)
    by_table: dict[str, list[Path]] = {}
    for part, path in parts:
        by_table.setdefault(part.table, []).append(path)
    unknown = sorted((by_table.keys() | log.tables.keys()) - SCHEMAS.keys())
    if unknown:
        raise _damage_of(remote, log, f"it has rows of {unknown[0]}, which no archive has")
    progress.begin("build", len(by_table))
    with lock_archive(place):
        archive = create_archive(place)
        for table, paths in sorted(by_table.items()):
            append(archive, table, (_rows(table, path) for path in paths), 0)
            links = joined_links(links_of(_proving(table, path)) for path in paths)
            _require_whole(remote, log, table, links)
            archive = record_commits(archive, {table: add_committed(archive, table, links)})
            progress.advance(1)
        for table in log.tables.keys() - by_table.keys():
            _require_whole(remote, log, table, None)
        _describe(archive, log)
    return place


def _require_whole(remote: Remote, log: Log, table: str, links: pl.DataFrame | None) -> None:
    """Raise RemoteDamaged unless the rows, by their links, are those that the log says it holds."""
    said = log.tables.get(table)
    if said is None or links is None:
        held = said is None or not said.rows
    else:
        held = (
            is_held(said, links)
            and continue_committed(Committed(said.id), 0, links).rows == said.rows
        )
    if not held:
        raise _damage_of(remote, log, f"its rows of {table} are not those that were pushed")


def _describe(archive: Archive, log: Log) -> None:
    release = release_named(log.entries[-1].release)
    describe(replace(archive, release=release), sorted(log.observations))


def _rows(table: str, path: Path) -> pl.DataFrame:
    """Return the rows of a part with all columns; those that an older midden did not know, null."""
    there = parquet_columns(path)
    read = read_parquet(path)
    return read.select(
        (pl.col(name) if name in there else pl.lit(None)).cast(kind).alias(name)
        for name, kind in SCHEMAS[table].items()
    )


def _proving(table: str, path: Path) -> pl.DataFrame:
    return read_parquet(path, columns=list(proving_columns(table)))


def _raw_files(remote: Remote, log: Log, place: Path, wanted: AbstractSet[str]) -> Iterator[Wanted]:
    renamed = log.renamed
    for name, size in log.raw_files.items():
        if name in wanted:
            digest = name.rpartition("/")[2]
            yield blob(remote, Content(digest, size), place / name, renamed)


def _environment(name: str | None) -> Environment | None:
    return next((kind for kind in RAW_FOLDERS if kind == name), None)


def _damage_of(remote: Remote, log: Log, wrong: str) -> RemoteDamaged:
    advice = f"to look at all of it: midden verify --remote {remote.name}"
    return RemoteDamaged(remote.name, f"log {log.writer}: {wrong}", advice)
