"""An archive run, and a look at an archive, as pages."""

from collections.abc import Sequence
from pathlib import Path

from neotoma_core.archive.report import ArchiveReport
from neotoma_core.archive_tables.verification_report import ArchiveVerification
from neotoma_core.pages.document import page
from neotoma_core.pages.elements import Node, code, element
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


def archive_page(report: ArchiveReport) -> bytes:
    """Return the page of an archive run. Counts are in it, and no stored value."""
    name = Path(report.target).name
    rows: list[Sequence[Node]] = [
        (code(one.table), *map(number, (one.rows, one.appended, one.changed, one.gone)))
        for one in report.archived
        if one.rows or one.appended or one.gone
    ]
    titles = ("rows now", "versions appended", "of rows that changed", "gone from the database")
    columns = (Column("Table"), *(Column(title, numbers=True) for title in titles))
    added = f"{some(report.appended, 'version')} of rows of {name} were appended to its archive."
    nothing = f"The archive of {name} has every version already."
    return page(
        f"Archive of {name}",
        heading(
            ("midden archive", report.target, report.run),
            added if report.appended or report.gone else nothing,
            f"{some(report.gone, 'row')} are gone from the database; the archive keeps them."
            if report.gone
            else "",
            report.outcome,
            "good",
        ),
        element(
            "main",
            section("Table by table", table("Versions per table", columns, rows)),
            findings(report.findings),
        ),
        footing(
            element("span", "The archive: ", code(report.archive)),
            element("span", f"Took {seconds_spent(report.seconds)}"),
        ),
    )


def archive_verification_page(report: ArchiveVerification) -> bytes:
    """Return the page of a look at an archive."""
    damaged = sum(one.damaged for one in report.verified)
    read = f"{sum(one.rows for one in report.verified):,} archived rows"
    rows: list[Sequence[Node]] = [
        (code(one.table), *map(number, (one.files, one.rows, one.damaged)))
        for one in report.verified
    ]
    titles = ("files", "rows", "damaged files")
    columns = (Column("Table"), *(Column(title, numbers=True) for title in titles))
    whole = report.outcome == "verified"
    return page(
        "An archive, verified",
        heading(
            ("midden verify --archive", report.archive),
            f"{read} are as they were archived."
            if whole
            else f"{some(damaged, 'file')} of the archive are damaged.",
            "",
            report.outcome,
            "good" if whole else "bad",
        ),
        element(
            "main",
            section("Table by table", table("Files per table", columns, rows)),
            findings(report.findings),
        ),
        footing(element("span", "The archive: ", code(report.archive))),
    )
