"""What becomes of the rows of a target, as text for a terminal."""

from collections.abc import Iterator, Sequence

from neotoma_core.comparison.differences import TableDifference
from neotoma_core.report.layout import LABELLED, fit_columns, label_line


def change_lines(differences: Sequence[TableDifference]) -> Iterator[str]:
    """Yield one line per table that changes, and its rows."""
    rows = [("", "inserted", "removed", "changed")]
    rows += [(d.table, f"{d.inserted:,}", f"{d.removed:,}", f"{d.changed:,}") for d in differences]
    lines = (
        fit_columns(rows, right=(1, 2, 3), indent=LABELLED)
        if differences
        else ["no row of the target"]
    )
    for place, line in enumerate(lines):
        yield label_line("" if place else "change", line)
