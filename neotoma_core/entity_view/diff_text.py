"""How two databases differ, as text for a terminal: in a sentence, by type, one by one."""

from collections.abc import Iterator
from typing import Final

from neotoma_core.entity_view.diff_report import DiffReport, EntityDifference, FieldDifference
from neotoma_core.entity_view.entity_text import shorten
from neotoma_core.report.layout import LABELLED, align, fit_columns, label_line

_FIELDS: Final = 12
_TYPES: Final = 20
_VALUE: Final = 60
_TOLD: Final = 4


def diff_text(report: DiffReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def summary(report: DiffReport) -> str:
    """Return in one sentence what differs, as people speak of it."""
    said = []
    for one in report.types[:_TOLD]:
        parts = [
            f"{getattr(one, kind):,} {kind}"
            for kind in ("gone", "changed", "new")
            if getattr(one, kind)
        ]
        if parts:
            count, _, kind = parts[0].partition(" ")
            first = f"{count} {people(one.entity_type, int(count.replace(',', '')))} {kind}"
            said.append(", ".join([first, *parts[1:]]))
    more = sum(bool(t.gone or t.new or t.changed) for t in report.types[_TOLD:])
    gone, new = (sum(getattr(edge, kind) for edge in report.edges) for kind in ("gone", "new"))
    if gone or new:
        counts = [f"{n:,} {kind}" for n, kind in ((gone, "gone"), (new, "new")) if n]
        said.append(f"relationships: {', '.join(counts)}")
    text = "; ".join(said) or "no difference: every entity and relationship is the same"
    return f"{text}; and {more:,} more types" if more else text


def people(entity_type: str, count: int) -> str:
    """Return a type as a word of a sentence: ``feedback_note`` as feedback notes."""
    words = entity_type.replace("_", " ")
    if count == 1 or words.endswith("s"):
        return words
    if words.endswith("y") and words[-2:-1] not in ("a", "e", "o", "u", ""):
        return f"{words[:-1]}ies"
    return f"{words}es" if words.endswith(("x", "ch", "sh")) else f"{words}s"


def _lines(report: DiffReport) -> Iterator[str]:
    yield label_line("summary", summary(report))
    yield label_line("from", report.before)
    yield label_line("to", report.after)
    differing = [one for one in report.types if one.gone or one.new or one.changed]
    rows = [("", "gone", "new", "changed", "unchanged")]
    rows += [
        (t.entity_type, f"{t.gone:,}", f"{t.new:,}", f"{t.changed:,}", f"{t.unchanged:,}")
        for t in differing[:_TYPES]
    ]
    if differing:
        lines = fit_columns(rows, right=range(1, 5), indent=LABELLED)
        yield label_line("entities", lines[0])
        yield from (label_line("", line) for line in lines[1:])
    if report.edges:
        edges = [("", "gone", "new")]
        edges += [(e.relationship, f"{e.gone:,}", f"{e.new:,}") for e in report.edges[:_TYPES]]
        lines = align(edges, right=(1, 2))
        yield label_line("edges", lines[0])
        yield from (label_line("", line) for line in lines[1:])
    for one in report.entities:
        yield from _entity(one)
    if report.left_off:
        more = f"and {report.left_off:,} more entities; --limit lists more, --parquet has all"
        yield label_line("", more)
    for finding in report.findings:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    if report.parquet:
        yield label_line("parquet", report.parquet)


def _entity(one: EntityDifference) -> Iterator[str]:
    reason = f"   {one.reason}" if one.reason else ""
    yield label_line(one.kind, f"{one.entity}   {one.entity_type}{reason}")
    for field in one.fields[:_FIELDS]:
        yield label_line("", f"  {_field(field)}")
    if len(one.fields) > _FIELDS:
        yield label_line("", f"  and {len(one.fields) - _FIELDS:,} more fields")


def _field(field: FieldDifference) -> str:
    if field.before is None and field.after is None:
        return f"{field.field}: {field.kind}"
    before, after = (shorten(v or "(nothing)", _VALUE) for v in (field.before, field.after))
    return f"{field.field}: {before} -> {after}"
