"""One entity as text for a terminal, and the entities that a name may mean."""

from collections.abc import Iterator, Sequence
from typing import Final

from neotoma_core.entity_view.entity_report import EntityReport, MatchesReport, ShownField
from neotoma_core.report.layout import LABELLED, escape_name, fit_columns, label_line, label_lines

_LISTED: Final = 20
_LONGEST: Final = 400
_WIDEST_NAME: Final = 28
_STATES: Final = {
    "deleted": "deleted: its last observation says so",
    "no-snapshot": "no snapshot: it has no observation that can be read",
}
_STORED: Final = {
    "differs": "Neotoma's stored snapshot says otherwise",
    "missing": "Neotoma has no stored snapshot of it",
}


def entity_text(report: EntityReport) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(_lines(report))


def matches_text(report: MatchesReport) -> str:
    """Return the entities that answer to what was asked for, with their ids."""
    rows = [(one.entity_id, one.entity_type, shorten(one.name, 60)) for one in report.matches]
    lines = [
        label_line("several", f"{report.found:,} entities of {report.database} match; say which")
    ]
    lines += [label_line("", line) for line in fit_columns(rows, (), LABELLED)]
    more = report.found - len(report.matches)
    return "\n".join([*lines, *([label_line("", f"and {more:,} more")] if more else [])])


def shorten(text: str, most: int) -> str:
    """Return a text in one line and of so many characters at most."""
    line = escape_name(text)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _lines(report: EntityReport) -> Iterator[str]:
    yield label_line("entity", f"{report.entity}   {report.entity_type}")
    if report.names:
        shown = ", ".join(shorten(name, 60) for name in report.names[:5])
        yield from label_lines("names", shown)
    yield label_line("database", report.database)
    if report.state == "merged-away":
        yield label_line("state", f"merged into {report.survivor}")
    elif report.state in _STATES:
        yield label_line("state", _STATES[report.state])
    if report.stored in _STORED:
        yield label_line("stored", _STORED[report.stored])
    yield from _fields(report)
    yield from _block("edges", [_edge_cells(report, place) for place in range(len(report.edges))])
    merges = [(m.at or "?", m.kind, m.id, f"{m.entity} into {m.into}") for m in report.merges]
    yield from _block("merges", merges)
    yield from _versions(report)
    for finding in report.findings[:_LISTED]:
        yield label_line(finding.kind, f"{finding.subject}: {finding.detail}")
    if report.next:
        yield label_line("next", report.next)


def _fields(report: EntityReport) -> Iterator[str]:
    for user in dict.fromkeys(field.user for field in report.fields):
        own = [field for field in report.fields if field.user == user]
        several = len(report.users) > 1
        yield label_line("fields", f"of user {user or '(none)'}" if several else "")
        origins = [_origin(field) for field in own]
        rows = []
        for field, origin, following in zip(own, origins, [*origins[1:], ""], strict=True):
            value = "" if field.value is None else shorten(field.value, _LONGEST)
            name = escape_name(field.field)
            rows += [(name, "")] if len(name) > _WIDEST_NAME else []
            rows.append(("" if len(name) > _WIDEST_NAME else name, value))
            rows += [("", origin)] if origin != following else []  # of several in a row it is once
        yield from (label_line("", line) for line in fit_columns(rows, (), LABELLED))


def _origin(field: ShownField) -> str:
    if not field.observations:
        return "from no observation that is known"
    more = len(field.observations) - 1
    said = f"from {field.observations[0]}" + (f" and {more:,} more" if more else "")
    said += f", {field.observed_at}" if field.observed_at else ""
    if field.source:
        said += f", source {field.source}" + (f" ({field.file})" if field.file else "")
    return said


def _edge_cells(report: EntityReport, place: int) -> tuple[str, ...]:
    edge = report.edges[place]
    name = shorten(edge.name, 50) if edge.name else ""
    return (edge.relationship, edge.direction, edge.other, edge.other_type or "", name)


def _versions(report: EntityReport) -> Iterator[str]:
    if report.archive is None:
        return
    rows = [
        (v.archived_at, v.observation, f"version {v.version}", ", ".join(v.changed))
        for v in report.versions
        if v.version > 1
    ]
    count = f"{len(report.versions):,} versions of its observations in {report.archive}"
    yield label_line("archive", count)
    yield from _block("", rows)


def _block(label: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the first of some rows behind a label, and how many more there are."""
    shown = rows[:_LISTED]
    for number, line in enumerate(fit_columns(shown, (), LABELLED) if shown else ()):
        yield label_line("" if number else label, line)
    if len(rows) > len(shown):
        yield label_line("", f"and {len(rows) - len(shown):,} more; --json has all")
