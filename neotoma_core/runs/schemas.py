"""Schemas from a file, for types that no registry of the run describes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from neotoma_core.errors import UsageError
from neotoma_core.files.headers import read_header
from neotoma_core.merge.plan import registry_of
from neotoma_core.neotoma.frames import empty_rows
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.report.progress import Silent
from neotoma_core.runs.evidence import secure_database
from neotoma_core.runs.run import DatabaseRef, Run, require_readable
from neotoma_core.runs.schema_files import read_exported
from neotoma_core.sqlite.inspection import StoredTable, list_tables
from neotoma_core.sqlite.opening import connect_read_only, make_whole
from neotoma_core.sqlite.rows import read_rows

_TABLE = "schema_registry"


def complete_registry(registry: Registry, run: Run, schemas: Path | None) -> Registry:
    """Return ``registry`` with the schemas of a file for what it has none for.

    ``schemas``: another Neotoma database, or JSON as Neotoma exports it; None for no file.
    Raises UsageError or BackupError where the file cannot be read.
    """
    return registry.complete_with(_registry_of(run, schemas)) if schemas else registry


def schema_rows(whole: Path, stored: Mapping[str, StoredTable]) -> pl.DataFrame:
    """Return the rows of ``schema_registry`` of a whole copy; none where it has no such table."""
    if _TABLE not in stored:
        return empty_rows(BY_NAME[_TABLE])
    return read_rows(whole, stored[_TABLE].known, stored[_TABLE].columns)


def registry_in(whole: Path, stored: Mapping[str, StoredTable]) -> Registry:
    """Return the schemas of a whole copy; none where it has no such table."""
    return registry_of(schema_rows(whole, stored))


def _registry_of(run: Run, schemas: Path) -> Registry:
    require_readable(schemas)
    if read_header(schemas) is None:
        return Registry.from_rows(read_exported(schemas))
    work = run.folders.work / "schemas"
    work.mkdir(mode=0o700, exist_ok=True)
    copies = replace(run, folders=replace(run.folders, evidence=work))
    copy = secure_database(copies, DatabaseRef(0, "copy", schemas, None), Silent()).copy
    whole = make_whole(copy, schemas, work / "whole")
    connection = connect_read_only(whole)
    try:
        stored = {table.name: table for table in list_tables(connection, schemas)}
    finally:
        connection.close()
    if _TABLE not in stored:
        raise UsageError(f"schemas {schemas}: this database has no schemas; give another")
    return registry_in(whole, stored)
