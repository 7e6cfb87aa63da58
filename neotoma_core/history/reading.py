"""The history of one entity, from an archive."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from neotoma_core.archive_tables.database import damage_finding, notes_of
from neotoma_core.archive_tables.reading import read_table
from neotoma_core.archive_tables.tables import open_archive
from neotoma_core.erased.naming import ENTITIES, OBSERVATIONS
from neotoma_core.errors import KeyMissing, UsageError
from neotoma_core.export.stated import as_values, members
from neotoma_core.files.keys import KeySource, read_key
from neotoma_core.history.report import HistoryReport, ObservationVersion, StatedValue
from neotoma_core.history.versions import last_of, versions_of
from neotoma_core.ledger.file import read_erased_around
from neotoma_core.neotoma.encryption.columns import find_sealed_rows, open_rows
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.neotoma.times import iso
from neotoma_core.row_versions.columns import ARCHIVED_AT, BACKUP, REMOVED, ROW_HASH

_TABLE = "observations"


def entity_history(
    place: Path, entity: str, key: KeySource | None = None, vault: Path | None = None
) -> HistoryReport:
    """Return all that an archive knows of an entity, less what is erased.

    That is what the ``vault`` knows, and the one that the archive is in.

    Raises ArchiveError, UsageError for an entity it never saw, KeyMissing. What of the archive
    cannot be read is a finding.
    """
    archive = open_archive(place)
    columns = (*BY_NAME[_TABLE].names, ROW_HASH, ARCHIVED_AT, BACKUP)
    read = read_table(archive, _TABLE, columns)
    removed = read_table(archive, REMOVED, (ROW_HASH, ARCHIVED_AT))
    versions = _without_erased(place, vault, versions_of(entity, read.rows, removed.rows))
    if versions.is_empty():
        read.require_whole()
        raise UsageError(
            f"archive {place}: no observation of entity {entity}; check the id, or archive the "
            "database first, with `midden archive`"
        )
    versions = _open_versions(place, versions, key)
    last = last_of(entity, versions)
    own = versions.filter(pl.col("entity_id") == entity)
    return HistoryReport(
        entity,
        str(place),
        own["entity_type"].drop_nulls().first(),  # type: ignore[arg-type]  # a column of texts
        versions["id"].n_unique(),
        tuple(_read_stated_versions(versions)),
        tuple(_values(last)),
        (*map(damage_finding, (*read.damaged, *removed.damaged)), *notes_of(archive)),
    )


def _without_erased(place: Path, vault: Path | None, versions: pl.DataFrame) -> pl.DataFrame:
    erased = read_erased_around(vault or place, place)
    if not erased:
        return versions
    gone = erased.among(OBSERVATIONS, versions["id"].drop_nulls().unique())
    owners = erased.among(ENTITIES, versions["entity_id"].drop_nulls().unique())
    return versions.filter(
        ~pl.col("id").is_in(sorted(gone)) & ~pl.col("entity_id").is_in(sorted(owners))
    )


def _open_versions(place: Path, versions: pl.DataFrame, key: KeySource | None) -> pl.DataFrame:
    table = BY_NAME[_TABLE]
    sealed = find_sealed_rows(table, versions).height
    if not sealed:
        return versions
    if key is None:
        raise KeyMissing(place, sealed, _TABLE)
    return open_rows(table, versions, read_key(key), place)


def _read_stated_versions(versions: pl.DataFrame) -> Iterator[ObservationVersion]:
    for row in versions.iter_rows(named=True):
        yield ObservationVersion(
            row["id"],
            row["version"],
            row["entity_id"],
            row["observed_at"],
            iso(row[ARCHIVED_AT]),
            _iso(row["until"]),
            tuple(row["changed"] or ()),
            row[BACKUP],
        )


def _values(last: pl.DataFrame) -> Iterator[StatedValue]:
    """Yield every value that the observations state, by field, then time."""
    numbered = last.sort("observed_at", "id", nulls_last=True).with_row_index("row")
    stated = as_values(members(numbered.select("row", text="fields")))
    about = numbered.select("row", "observed_at", "source_priority", "id")
    ordered = stated.join(about, on="row").sort("field", "row")
    columns = ("field", "observed_at", "value", "source_priority", "id")
    for row in ordered.select(columns).iter_rows():
        yield StatedValue(*row)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)
