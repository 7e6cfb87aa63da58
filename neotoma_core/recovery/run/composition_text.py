"""A composition as text: what each copy adds, what leaving it out would lose, why not others."""

from collections.abc import Iterator

from neotoma_core.report.composition import CompositionReport, UsedCopy
from neotoma_core.report.layout import align, join_places, label_line


def composition_lines(report: CompositionReport | None) -> Iterator[str]:
    """Yield the lines of a composition; none where the user named the backups."""
    if report is None:
        return
    where = join_places(report.searched)
    yield label_line("searched", f"{where}: {report.files:,} files, {report.copies:,} copies")
    if report.further:
        yield label_line("", f"to search all of your home folder: {report.further}")
    rows = [
        (copy.path, f"adds {copy.adds:,} observations", f"leaving it out loses {_loss(copy)}")
        for copy in report.used
    ]
    for number, line in enumerate(align(rows, right=())):
        yield label_line("" if number else "proposed", line)
    for copy in report.used:
        if copy.salvaged:
            advice = f"; {copy.advice}" if copy.advice else ""
            yield label_line("salvaged", f"{copy.path}: {copy.salvaged}{advice}")
    unused = [(copy.path, copy.reason) for copy in report.unused]
    for number, line in enumerate(align(unused, right=()) if unused else ()):
        yield label_line("" if number else "left out", line)
    for place in report.unreadable[:5]:
        yield label_line("not read", place)
    if len(report.unreadable) > 5:  # noqa: PLR2004 - as many as fit; the report has them all
        yield label_line("", f"and {len(report.unreadable) - 5:,} more")


def _loss(copy: UsedCopy) -> str:
    parts = []
    if copy.loses:
        parts.append(f"{copy.loses:,} observations")
    if copy.further:
        parts.append(f"{copy.further:,} other rows")
    return " and ".join(parts) or "nothing"
