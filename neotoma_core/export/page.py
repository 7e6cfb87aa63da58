"""An export as a page: which files there are, and what is not in them."""

from collections.abc import Sequence
from pathlib import Path

from neotoma_core.export.report import ExportReport
from neotoma_core.pages.document import page
from neotoma_core.pages.elements import Node, code, element, outside
from neotoma_core.pages.sections import (
    Column,
    findings,
    footing,
    heading,
    number,
    seconds_spent,
    section,
    some,
    table,
)
from neotoma_core.report.layout import cut_off_words


def export_page(report: ExportReport) -> bytes:
    """Return the page of an export. Names of files and fields are in it, and no stored value."""
    rows: list[Sequence[Node]] = [
        (code(one.file), number(one.rows), number(one.untyped)) for one in report.files
    ]
    columns = (
        Column("File"),
        Column("rows", numbers=True),
        Column("values kept as text", numbers=True),
    )
    redacted = [element("li", outside(one)) for one in report.redacted]
    moment = cut_off_words(report.as_of, report.knowledge)
    total = sum(one.rows for one in report.files)
    return page(
        f"Export of {Path(report.source).name}",
        heading(
            ("midden export", report.source, report.run),
            f"{some(total, 'row')} in {some(len(report.files), 'file')} were exported.",
            f"As of: {moment}." if moment else "",
            "exported",
            "good",
        ),
        element(
            "main",
            section("Files", table("Files of the export", columns, rows)),
            section("Left out or hashed", element("ul", *redacted)) if redacted else None,
            findings(report.findings),
        ),
        footing(
            element("span", "The export: ", code(report.out)),
            element("span", f"Took {seconds_spent(report.seconds)}"),
        ),
    )
