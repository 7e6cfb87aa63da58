"""What of an extracted salvaged copy is offered: rows that something proves whole."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from neotoma_core.files.frames import read_frame, write_frame
from neotoma_core.neotoma.content_ids import mergers
from neotoma_core.neotoma.frames import ROWID
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.runs.quarantine import quarantine
from neotoma_core.runs.run import Run
from neotoma_core.sources.extract import Extract, TableExtract
from neotoma_core.sources.salvaged_rows import UNASSIGNED, not_proven


def keep_proven(run: Run, extract: Extract) -> Extract:
    """Return a salvaged copy without the rows that nothing proves whole; any other as it is."""
    if not extract.database.suspect:
        return extract
    merges = extract.tables.get("entity_merges")
    merged_into = mergers(read_frame(merges.frame)) if merges and merges.frame else {}
    tables = {
        name: _keep_proven_rows(run, extract, table, merged_into)
        for name, table in extract.tables.items()
    }
    return replace(extract, tables=tables)


def _keep_proven_rows(
    run: Run, extract: Extract, table: TableExtract, merged_into: Mapping[str, Sequence[str]]
) -> TableExtract:
    if table.frame is None or table.name not in BY_NAME:
        return replace(table, frame=None, broken=0, reason=table.reason or UNASSIGNED)
    known, rows = table.stored.known, read_frame(table.frame)
    broken = not_proven(run, known, rows, merged_into)
    if broken.is_empty():
        return table
    label = f"{extract.database.label}-unproven"
    quarantine(run, replace(extract.database, label=label), extract.whole, known, broken)
    write_frame(rows.join(broken, on=ROWID, how="anti", maintain_order="left"), table.frame)
    return replace(table, broken=table.broken + broken.height)
