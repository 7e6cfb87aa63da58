"""The rows of an archive, table by table: split, resolved, and read in the order they had.

A part of each stage is made by one task, and the runner of a ``Work`` does several of them at
a time: in this process, or on workers that see the archive and the place of the parts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from neotoma_core.archive_tables.building.resolving import (
    COUNTS,
    MISSING,
    SCHEMAS_TABLE,
    ResolveTask,
    choose_borders,
    resolve,
)
from neotoma_core.archive_tables.building.selecting import Selection
from neotoma_core.archive_tables.building.sources import count_buckets, plan_sources
from neotoma_core.archive_tables.building.splitting import (
    DAMAGED,
    LINKS,
    PLACES,
    SplitTask,
    split,
)
from neotoma_core.archive_tables.reading import (
    DamagedFile,
    ListedTable,
    TableProof,
    list_table,
)
from neotoma_core.archive_tables.tables import Archive
from neotoma_core.errors import VerificationFailed
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.report.progress import Progress
from neotoma_core.row_versions.columns import ARCHIVED, ODD, REMOVED, ROW_HASH
from neotoma_core.row_versions.database_file import TableRows
from neotoma_core.row_versions.versions import PLACE
from neotoma_core.stages.parts import Part
from neotoma_core.stages.places import Place
from neotoma_core.stages.runner import Runner, Threads, Work


@dataclass(frozen=True, slots=True)
class _Split:
    """A table in buckets, and what is damaged in it so far."""

    table: str
    listed: ListedTable
    buckets: int
    parts: tuple[Part, ...] = ()
    facts: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    damaged: tuple[DamagedFile, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class FoundRows:
    """The selected rows of every table, in parts, and what is damaged in the archive.

    What is damaged may be there twice.
    """

    tables: Mapping[str, TableRows]
    damaged: tuple[DamagedFile, ...]


def find_rows(
    archive: Archive, place: Place, work: Work, selection: Selection, progress: Progress
) -> FoundRows:
    """Find the selected rows of an archive, in parts that are in ``place``.

    Raises ArchiveError where a later format wrote a table, VerificationFailed where a part was
    lost or changed between two stages.
    """
    listed = {name: list_table(archive, name) for name in (REMOVED, *(t.name for t in ARCHIVED))}
    wanted = {name: work.buckets or count_buckets(listed[name].files) for name in listed}
    if selection.moment is not None:
        wanted[SCHEMAS_TABLE] = 1  # which of them count depends on all of them
    progress.begin("read", len(ARCHIVED))
    cut = partial(_split, place, work)
    removed = cut(REMOVED, listed[REMOVED], max(wanted.values()))
    damaged = [*removed.damaged, *_lost_of(archive, removed, twice=False)]
    tables = {}
    for table in ARCHIVED:
        versions = cut(table.name, listed[table.name], wanted[table.name])
        tables[table.name], twice = _resolve(place, work.runner, versions, removed, selection)
        damaged += [*versions.damaged, *_lost_of(archive, versions, twice=twice)]
        for part in versions.parts:
            part.remove()
        progress.advance(1)
    return FoundRows(tables, tuple(damaged))


def _split(place: Place, work: Work, table: str, listed: ListedTable, buckets: int) -> _Split:
    """Cut a table into buckets; what is of a damaged file is left out, all of it."""
    sources = plan_sources(listed.files)
    tasks = [
        SplitTask(place, table, number, source, buckets, work.origin)
        for number, source in enumerate(sources)
    ]
    parts = tuple(work.runner.run(split, tasks))
    told = [part.facts() for part in parts]
    names = (LINKS, DAMAGED, PLACES) if told else ()
    facts = {name: pl.concat([one[name] for one in told]) for name in names}
    damaged = (
        [DamagedFile(Path(path), why) for path, why in facts[DAMAGED].iter_rows()] if told else []
    )
    bad = {file.path for file in damaged}
    kept = tuple(
        number
        for number, source in enumerate(sources)
        if source.span is None or source.files[0].path not in bad
    )
    rows = sum(int(told[number][LINKS]["rows"].sum()) for number in kept)
    left = tuple(parts[number] for number in kept)
    return _Split(table, listed, buckets, left, facts, tuple(dict.fromkeys(damaged)), rows)


def _lost_of(archive: Archive, cut: _Split, *, twice: bool) -> Iterator[DamagedFile]:
    """Yield what a table lacks of what it had committed."""
    lost = cut.listed.lost
    if not lost and not cut.damaged:
        proof = TableProof(archive, cut.table, cut.listed)
        if cut.facts:
            proof.add_links(cut.facts[LINKS])
        _, lost = proof.outcome(twice=twice)
    if lost:
        yield lost


def _resolve(
    place: Place, runner: Runner, versions: _Split, removed: _Split, selection: Selection
) -> tuple[TableRows, bool]:
    """Return the rows of a table that count, and whether versions of it are there twice."""
    if not versions.parts:
        return TableRows(0, frozenset(), 0, lambda: iter(())), False
    count = versions.buckets
    borders = choose_borders(versions.facts[PLACES], count)
    tasks = [
        ResolveTask(
            place,
            versions.table,
            bucket,
            versions.parts,
            tuple((p, n) for p in removed.parts for n in range(bucket, removed.buckets, count)),
            selection.which,
            selection.moment,
            borders,
        )
        for bucket in range(count)
    ]
    parts = tuple(runner.run(resolve, tasks))
    told = [part.facts() for part in parts]
    counts = pl.concat([one[COUNTS] for one in told]).sum().row(0, named=True)
    if counts["read"] != versions.rows:
        lost = f"{versions.rows:,} versions were split and {counts['read']:,} read again"
        raise VerificationFailed("parts of the job", (f"{versions.table}: {lost}",))
    missing = frozenset(pl.concat([one[MISSING] for one in told])["column"])
    reading = partial(read_in_order, versions.table, parts, len(borders) + 1)
    return TableRows(counts["rows"], missing, counts["odd"], reading), counts["twice"] > 0


def read_in_order(table: str, parts: Sequence[Part], ranges: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of a table, range by range: its columns, ``_odd`` and ``_row_hash``."""
    names = (*BY_NAME[table].names, ODD, ROW_HASH)

    def read(number: int) -> pl.DataFrame:
        held = pl.concat([part.batch(number) for part in parts])
        return held.sort(*PLACE, ROW_HASH).select(names)

    yield from Threads().run(read, range(ranges))
