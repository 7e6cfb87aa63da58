"""Exporting the state and its history as typed tables, from one consistent moment.

a private copy → the log up to a time → reduced, taken apart, redacted, typed → files → the catalog
"""

import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import polars as pl

from neotoma_core.export.catalog import (
    FORMAT,
    KIND,
    ExportedTable,
    columns_of,
    table_entry,
    view_names,
)
from neotoma_core.export.entities import OWN, wide
from neotoma_core.export.file_names import file_stem
from neotoma_core.export.files import (
    DATABASE,
    ExportFolder,
    View,
    new_export,
    write_catalog,
    write_views,
)
from neotoma_core.export.names import field_text
from neotoma_core.export.page import export_page
from neotoma_core.export.redaction import find_declared_fields, redactions_of, require_fields
from neotoma_core.export.report import ExportedFile, ExportReport
from neotoma_core.export.request import ExportRequest, ExportRun
from neotoma_core.export.tables import (
    FIELD_VALUES,
    OBSERVATIONS,
    RELATIONSHIPS,
    TIMELINE,
    Leaving,
    entity_buckets,
    relationship_buckets,
    schema_rows,
    timeline,
)
from neotoma_core.export.typed import UNTYPED
from neotoma_core.files.failures import failures_named
from neotoma_core.neotoma.json import JsonValue
from neotoma_core.neotoma.schemas import Registry
from neotoma_core.neotoma.times import iso
from neotoma_core.rebuild.reading import Reading, read_target
from neotoma_core.report.findings import Finding, registry_findings, unreadable
from neotoma_core.report.progress import Progress
from neotoma_core.runs.clock import Clock
from neotoma_core.vault.folder import remember_place
from neotoma_core.vault.last_report import keep_last

_READ = ("observations", "relationship_observations")
_LISTED = 1_000


@dataclass(slots=True)
class _Exported:
    """What has been written so far."""

    tables: list[ExportedTable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    stated: set[tuple[str, str]] = field(default_factory=set)

    def add(self, export: ExportFolder, name: str, rows: "_Counted") -> None:
        self.tables.append(
            ExportedTable(
                name, export.file(name), rows.rows, columns_of(rows.schema), {UNTYPED: rows.untyped}
            )
        )


@dataclass(slots=True)
class _Counted:
    """Rows on their way into a file."""

    schema: dict[str, pl.DataType]
    rows: int = 0
    untyped: int = 0

    def count(self, part: pl.DataFrame) -> pl.DataFrame:
        self.rows += part.height
        if UNTYPED in part.columns:
            self.untyped += part.height - part[UNTYPED].null_count()
        return part


def export_database(exporting: ExportRun, progress: Progress) -> ExportReport:
    """Write an export; what was in its folder stays until the new one is whole.

    Raises UsageError, KeyMissing, BackupDamaged, DiskFull, and what ``read_target`` raises.
    """
    request, clock = exporting.request, Clock()
    salt = secrets.token_bytes(16)
    exported = _Exported(findings=list(exporting.findings))
    reading = read_target(exporting.reading, _READ, progress, clock)
    with (
        failures_named(request.to, "export"),
        new_export(request.to, request.format) as export,
    ):
        schemas = schema_rows(reading)
        redactions = redactions_of(request.redact, schemas)
        leaving = Leaving(request.end(), redactions, salt)
        progress.begin("reduce", reading.buckets)
        snapshots = _write_log(export, exported, reading, leaving, progress)
        require_fields(request.redact, exported.stated | find_declared_fields(schemas))
        clock.lap("log")
        _write_relationships(export, exported, reading, leaving, progress)
        _write(export, exported, "timeline", TIMELINE, timeline(reading, leaving))
        clock.lap("relationships")
        _write_entities(export, exported, snapshots, reading, leaving)
        clock.lap("entities")
        exported.findings += registry_findings(reading.rules.registry)
        listed = [f"{owner}.{name} ({how})" for owner, name, how in redactions.list_all()]
        _write_catalog(export, exported, request, iso(reading.started), listed)
        remember_place(reading.folders.vault, request.to)
        clock.lap("catalog")
    report = ExportReport(
        run=reading.folders.name,
        outcome="exported",
        source=str(request.source),
        out=str(request.to),
        as_of=request.as_of,
        knowledge=request.knowledge,
        files=tuple(ExportedFile(t.file, t.rows, sum(t.untyped.values())) for t in exported.tables),
        redacted=tuple(listed),
        findings=tuple(exported.findings),
        seconds=clock.seconds,
    )
    made = keep_last(reading.folders.vault, "export", report, lambda: export_page(report))
    return replace(report, page=made)


def _write_log(
    export: ExportFolder,
    exported: _Exported,
    reading: Reading,
    leaving: Leaving,
    progress: Progress,
) -> pl.DataFrame:
    """Write observations and field values; return the entity snapshots."""
    observations, values = _Counted(OBSERVATIONS), _Counted(FIELD_VALUES)
    snapshots: list[pl.DataFrame] = []
    left_out: list[tuple[str, str]] = []
    stated: set[tuple[str, str]] = set()
    with ExitStack() as stack:
        write_observations = stack.enter_context(export.writing("observations", OBSERVATIONS))
        write_values = stack.enter_context(export.writing("field_values", FIELD_VALUES))
        for bucket in entity_buckets(reading, leaving):
            write_observations(observations.count(bucket.observations))
            write_values(values.count(bucket.values))
            snapshots.append(bucket.snapshots)
            stated |= bucket.stated
            left_out += bucket.unreadable.head(_LISTED - len(left_out)).rows()
            progress.advance(1)
    exported.stated = stated
    exported.add(export, "observations", observations)
    exported.add(export, "field_values", values)
    exported.findings += (unreadable(*row) for row in left_out)
    return pl.concat(snapshots)


def _write_relationships(
    export: ExportFolder,
    exported: _Exported,
    reading: Reading,
    leaving: Leaving,
    progress: Progress,
) -> None:
    rows = _Counted(RELATIONSHIPS)
    now = iso(reading.started)
    with export.writing("relationships", RELATIONSHIPS) as write:
        for part in relationship_buckets(reading, leaving.end, now):
            write(rows.count(part.sort("relationship_key")))
            progress.advance(1)
    exported.add(export, "relationships", rows)


def _write(
    export: ExportFolder,
    exported: _Exported,
    name: str,
    schema: dict[str, pl.DataType],
    rows: pl.DataFrame,
) -> None:
    counted = _Counted(schema)
    with export.writing(name, schema) as write:
        write(counted.count(rows))
    exported.add(export, name, counted)


def _write_entities(
    export: ExportFolder,
    exported: _Exported,
    snapshots: pl.DataFrame,
    reading: Reading,
    leaving: Leaving,
) -> None:
    for (entity_type,), rows in sorted(snapshots.partition_by("entity_type", as_dict=True).items()):
        own = rows.select(*OWN, "snapshot")
        declared = _find_declared_types(reading.rules.registry, str(entity_type))
        table = wide(str(entity_type), own, declared, leaving.redactions, leaving.salt)
        schema = dict(table.rows.schema)
        name = f"entities/{file_stem(str(entity_type))}"
        with export.writing(name, schema) as write:
            write(table.rows)
        untyped = {column.column: column.untyped for column in table.columns if column.untyped}
        exported.tables.append(
            ExportedTable(
                str(entity_type),
                export.file(name),
                table.rows.height,
                columns_of(schema),
                untyped,
                str(entity_type),
                table.columns,
            )
        )


def _find_declared_types(registry: Registry, entity_type: str) -> dict[str, str] | None:
    """Return the types of a type's fields: of the schema of all users, else of the first user."""
    schemas = [s for (name, user), s in registry.schemas.items() if name == entity_type and user]
    schema = registry.schemas.get((entity_type, None)) or next(iter(schemas), None)
    if schema is None:
        return None
    return {field_text(name): rule.type for name, rule in schema.fields.items()}


def _write_catalog(
    export: ExportFolder,
    exported: _Exported,
    request: ExportRequest,
    exported_at: str,
    redacted: list[str],
) -> None:
    views = view_names(exported.tables)
    there = write_views(export, [View(name, t.file, t.columns) for name, t in views])
    tables: list[JsonValue] = [table_entry(table) for table in exported.tables]
    write_catalog(
        export,
        {
            "kind": KIND,
            "format": FORMAT,
            "exported_at": exported_at,
            "as_of": request.as_of,
            "knowledge": request.knowledge,
            "redacted": list(redacted),
            "duckdb": (
                f"{DATABASE} has a view of each table; its paths are relative, so open it from "
                "this folder, or SET file_search_path to it"
                if there
                else None
            ),
            "views": [{"view": name, "file": t.file} for name, t in views] if there else [],
            "tables": tables,
        },
    )
