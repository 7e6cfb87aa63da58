"""One entity: its fields and where each comes from, its edges, its merges, its versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from neotoma_core.archive_tables.tables import is_archive
from neotoma_core.entity_view.entity_report import (
    EntityReport,
    ShownEdge,
    ShownField,
    ShownMerge,
    ShownVersion,
)
from neotoma_core.entity_view.naming import Named, titles
from neotoma_core.entity_view.opening import View
from neotoma_core.entity_view.state import (
    as_read,
    find_merged_away,
    live_edges,
    reduce_by_user,
    reduction_findings,
    rules_at,
)
from neotoma_core.errors import ArchiveError, UsageError
from neotoma_core.export.stated import as_values, members
from neotoma_core.files.keys import KeySource
from neotoma_core.history.reading import entity_history
from neotoma_core.neotoma.json import parse_json
from neotoma_core.reduce.cut_off import up_to
from neotoma_core.reduce.reduction import ENTITY_SNAPSHOT
from neotoma_core.report.findings import Finding

_ENDS: Final = ("source_entity_id", "target_entity_id")


@dataclass(frozen=True, slots=True)
class Beside:
    """What else is known of an entity: the ``archive`` that has its versions, and its ``vault``."""

    archive: Path | None = None
    vault: Path | None = None
    key: KeySource | None = None


def show_entity(view: View, names: pl.DataFrame, one: Named, beside: Beside) -> EntityReport:
    """Return all there is to say of an entity. Raises KeyMissing, KeyWrong."""
    observed = _observations(view, one.entity_id)
    rules = rules_at(view)
    snapshots = [pl.DataFrame(schema=ENTITY_SNAPSHOT)]
    findings: list[Finding] = list(view.findings)
    deleted = 0
    for reduction, gone in reduce_by_user(observed, rules):
        snapshots.append(reduction.snapshots)
        deleted += gone.height
        findings += reduction_findings(reduction)
    states = as_read(pl.concat(snapshots))
    away = find_merged_away(view, rules).filter(pl.col("entity_id") == one.entity_id)
    survivor = None if away.is_empty() else str(away["into"][0])
    state = "no-snapshot"
    if states.height:
        state = "there"
    elif survivor:
        state = "merged-away"
    elif deleted:
        state = "deleted"
    versions, archive, noted = _versions(one.entity_id, beside)
    own = names.filter(pl.col("entity_id") == one.entity_id)["name"].unique().sort()
    return EntityReport(
        one.entity_id,
        one.entity_type,
        view.place.words,
        view.place.moment,
        state,
        survivor,
        tuple(own),
        tuple(states["user_id"]),
        observed.height,
        _compare_stored(view, one.entity_id, states),
        tuple(_fields(view, states)),
        tuple(_edges(view, names, one.entity_id)),
        tuple(merges_of(view, one.entity_id)),
        versions,
        archive,
        (*findings, *noted),
        None,
    )


def without_values(report: EntityReport) -> EntityReport:
    """Return a report that says where values come from and not what they are."""
    fields = tuple(replace(field, value=None, file=None) for field in report.fields)
    edges = tuple(replace(edge, name=None) for edge in report.edges)
    return replace(report, names=(), fields=fields, edges=edges)


def merges_of(view: View, entity: str) -> Sequence[ShownMerge]:
    """Return the merges and splits that an entity took part in, the first one first."""
    merges = view.rows("entity_merges").select(
        kind=pl.lit("merge"), id="id", entity="from_entity_id", into="to_entity_id", at="created_at"
    )
    splits = view.rows("entity_splits").select(
        kind=pl.lit("split"),
        id="id",
        entity="source_entity_id",
        into="new_entity_id",
        at="created_at",
    )
    both = pl.concat([merges, splits]).drop_nulls(["id", "entity", "into"])
    own = both.filter((pl.col("entity") == entity) | (pl.col("into") == entity))
    return [ShownMerge(*row) for row in as_read(own).sort("at", "id").iter_rows()]


def _observations(view: View, entity: str) -> pl.DataFrame:
    """Return every observation of an entity up to the end of the log."""
    parts = [
        rows.filter(pl.col("entity_id") == entity)
        for rows in (
            view.read_observations("observations", number)
            for number in range(view.buckets("observations"))
        )
    ]
    return up_to(pl.concat(parts), view.end)


def _fields(view: View, states: pl.DataFrame) -> Sequence[ShownField]:
    if states.is_empty():
        return []
    numbered = states.with_row_index("row")
    values = as_values(members(numbered.select("row", text="snapshot")))
    origins = members(numbered.select("row", text="provenance")).select("row", "field", by="json")
    told = (
        values.join(origins, on=["row", "field"], how="left", maintain_order="left")
        .join(numbered.select("row", "user_id"), on="row", maintain_order="left")
        .select("user_id", "field", "value", "by")
        .with_columns(ids=pl.col("by").map_elements(_ids, return_dtype=pl.List(pl.String)))
    )
    ids = sorted({one for some in told["ids"].drop_nulls() for one in some})
    about = view.pick("observations", "id", ids)
    when = dict(about.select("id", "observed_at").iter_rows())
    read_from = dict(about.select("id", "source_id").iter_rows())
    sources = view.pick("sources", "id", [s for s in read_from.values() if s])
    files = dict(as_read(sources).select("id", "original_filename").iter_rows())
    found = []
    for user, field, value, by in told.select("user_id", "field", "value", "ids").iter_rows():
        own = tuple(by or ())
        first = own[0] if own else None
        source = read_from.get(first)
        found.append(
            ShownField(user, field, value, own, when.get(first), source, files.get(source))
        )
    return found


def _ids(text: str) -> list[str]:
    """Return the observations that a field's provenance names; of a merged array, several."""
    said = parse_json(text)
    return said.split(",") if isinstance(said, str) else []


def _edges(view: View, names: pl.DataFrame, entity: str) -> Sequence[ShownEdge]:
    rows = live_edges(view, entity).select("relationship_type", *_ENDS).sort(pl.all())
    others = [target if source == entity else source for _, source, target in rows.iter_rows()]
    known: Mapping[str, Named] = titles(names, others)
    return [
        ShownEdge(
            kind,
            "to" if source == entity else "from",
            other,
            known[other].entity_type if other in known else None,
            known[other].name if other in known else None,
        )
        for (kind, source, _), other in zip(rows.iter_rows(), others, strict=True)
    ]


def _compare_stored(view: View, entity: str, states: pl.DataFrame) -> str | None:
    """Return whether the snapshot that the database has says what was recomputed."""
    if not view.derived or view.end.known is not None:
        return None
    rows = as_read(view.pick("entity_snapshots", "entity_id", [entity]))
    if rows.is_empty():
        return "missing" if states.height else None
    for user, text in rows.select("user_id", "snapshot").iter_rows():
        own = states.filter(pl.col("user_id").eq_missing(pl.lit(user, pl.String)))
        if own.is_empty() or parse_json(own["snapshot"][0]) != _value(text):
            return "differs"
    return "same"


def _value(text: str | None) -> object:
    try:
        return parse_json(text or "")
    except ValueError:
        return None


def _versions(
    entity: str, beside: Beside
) -> tuple[tuple[ShownVersion, ...], str | None, tuple[Finding, ...]]:
    """Return what an archive has of an entity; what of it cannot be read is a finding."""
    place = beside.archive
    if place is None or not is_archive(place):
        return (), None, ()
    try:
        history = entity_history(place, entity, beside.key, beside.vault)
    except UsageError:  # it never saw the entity
        return (), str(place), ()
    except ArchiveError as error:
        return (), str(place), (Finding("archive-damaged", str(place), str(error)),)
    versions = tuple(
        ShownVersion(v.observation, v.version, v.archived_at, v.changed) for v in history.versions
    )
    return versions, str(place), history.findings
