"""Comparing two places: both read, recomputed by the same rules, compared, counted, kept."""

from dataclasses import dataclass
from pathlib import Path

from neotoma_core.entity_view.diff_report import (
    DiffReport,
    as_table,
    edges_of,
    entities_of,
    types_of,
)
from neotoma_core.entity_view.differences import compare_states
from neotoma_core.entity_view.opening import Looking, open_view, read_alike
from neotoma_core.entity_view.places import Place
from neotoma_core.entity_view.state import read_state
from neotoma_core.files.frames import write_parquet
from neotoma_core.report.progress import Progress


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """What is compared, and what is said of it.

    ``values``: also what fields hold. ``limit``: of entities listed one by one. ``parquet``: where
    every difference is written, if anywhere.
    """

    before: Place
    after: Place
    values: bool = False
    limit: int = 20
    parquet: Path | None = None


def diff_places(request: DiffRequest, looking: Looking, progress: Progress) -> DiffReport:
    """Compare two places. Raises what ``open_view`` does, and DiskFull."""
    before, after = read_alike(
        open_view(request.before, looking, progress), open_view(request.after, looking, progress)
    )
    progress.begin("compare", 2)
    states = []
    for view in (before, after):
        states.append(read_state(view))
        progress.advance(1)
    found = compare_states(*states)
    if request.parquet is not None:
        write_parquet(as_table(found, values=request.values), request.parquet)
    listed, left_off = entities_of(found, request.limit, values=request.values)
    return DiffReport(
        request.before.words,
        request.after.words,
        before.reading.rules.rules.name,
        types_of(found),
        edges_of(found),
        listed,
        left_off,
        str(request.parquet) if request.parquet else None,
        tuple(dict.fromkeys(finding for state in states for finding in state.findings)),
    )
