"""By which schemas a rebuild reduces: the target's, then those of a file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from neotoma_core.errors import UsageError
from neotoma_core.merge.plan import registry_of
from neotoma_core.ops.evidence import secure_database
from neotoma_core.ops.progress import Silent
from neotoma_core.ops.rebuild_run import RebuildRun
from neotoma_core.ops.run import DatabaseRef, require_readable
from neotoma_core.policies import Registry
from neotoma_core.store.databases import StoredTable, connect_read_only, list_tables, make_whole
from neotoma_core.store.rows import read_rows
from neotoma_core.store.schemas import read_exported
from neotoma_core.store.sqlite_files import read_header
from neotoma_core.tables import BY_NAME


def registry_for(rebuild: RebuildRun, whole: Path, stored: Mapping[str, StoredTable]) -> Registry:
    """Return the target's schemas, completed by those of ``--schemas``.

    Raises UsageError or BackupError where that file cannot be read.
    """
    registry = _registry_in(whole, stored)
    schemas = rebuild.request.schemas
    return registry.completed_by(_registry_of(rebuild, schemas)) if schemas else registry


def _registry_of(rebuild: RebuildRun, schemas: Path) -> Registry:
    require_readable(schemas)
    if read_header(schemas) is None:
        return Registry.from_rows(read_exported(schemas))
    work = rebuild.run.folders.work / "schemas"
    work.mkdir(mode=0o700)
    copies = replace(rebuild.run, folders=replace(rebuild.run.folders, evidence=work))
    database = DatabaseRef(0, "copy", schemas, None)
    copy = secure_database(copies, database, Silent()).copy
    whole = make_whole(copy, schemas, work / "whole")
    connection = connect_read_only(whole)
    try:
        stored = {table.name: table for table in list_tables(connection, schemas)}
    finally:
        connection.close()
    if "schema_registry" not in stored:
        raise UsageError(f"schemas {schemas}: this database has no schemas; give another")
    return _registry_in(whole, stored)


def _registry_in(whole: Path, stored: Mapping[str, StoredTable]) -> Registry:
    name = "schema_registry"
    if name not in stored:
        return Registry()
    return registry_of(read_rows(whole, BY_NAME[name], stored[name].columns).rows)
