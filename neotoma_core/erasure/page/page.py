"""An erasure as a page: what went, in numbers, and what still holds it. No erased id is on it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from neotoma_core.erasure.report import ErasureReport
from neotoma_core.pages.document import page
from neotoma_core.pages.elements import Element, Node, code, element
from neotoma_core.pages.sections import (
    Column,
    commands,
    findings,
    footing,
    heading,
    number,
    proofs,
    section,
    some,
    table,
    tiles,
)

_BADGES: Final = {
    "planned": "a plan; nothing was erased",
    "erased": "erased and proven",
    "unchanged": "nothing to erase",
}


def erasure_page(report: ErasureReport) -> bytes:
    """Return the page of an erasure."""
    name = Path(report.target).name
    done = report.outcome == "erased"
    return page(
        f"Erasure in {name}",
        heading(
            ("midden erase", report.target, report.run),
            _verdict(report, name),
            " ".join(_lead(report)),
            _BADGES[report.outcome],
            "warn" if report.outcome == "planned" or (done and report.holding) else "good",
        ),
        element(
            "main",
            _holding(report),
            commands(
                (
                    "Next",
                    "Take a backup without what was erased, then remove older ones.",
                    report.back_up if done else None,
                )
            ),
            section("In numbers", tiles(_facts(report))),
            _tables(report),
            findings(report.findings),
            proofs(report.checks),
        ),
        footing(
            element("span", "What is erased cannot be brought back: no copy is kept."),
            element("span", "The report as data: ", code(report.report)),
        ),
    )


def _verdict(report: ErasureReport, name: str) -> str:
    rows = some(report.rows, "row")
    if report.outcome == "erased":
        return (
            f"{rows} and {some(report.erased_raw_files.removed, 'raw file')} are gone from {name}."
        )
    if report.outcome == "unchanged":
        return f"There was nothing to erase in {name}."
    return f"An erasure would take {rows} from {name} for good."


def _lead(report: ErasureReport) -> Iterator[str]:
    if report.holding:
        yield (
            f"{some(len(report.holding), 'other place')} still held it when this page was made; "
            "each is below, with the command that removes it there."
        )
    elif report.outcome == "erased":
        yield "Nothing that Midden knows of holds it any longer."


def _facts(report: ErasureReport) -> list[tuple[str, str, str]]:
    asked = report.asked
    merged = f"{asked.merged:,} merged into them" if asked.merged else ""
    return [
        ("entities", number(asked.entities), merged),
        ("observations asked for", number(asked.observations), ""),
        ("users", number(asked.users), ""),
        ("rows", number(report.rows), ""),
        ("new in the ledger", number(report.recorded), "as salted hashes"),
    ]


def _holding(report: ErasureReport) -> Element | None:
    rows: list[Sequence[Node]] = [
        (code(one.folder), number(one.databases), code(one.remove)) for one in report.holding
    ]
    columns = (Column("Still held by"), Column("files", numbers=True), Column("removes it there"))
    return section("What still holds it", table("What still holds it", columns, rows))


def _tables(report: ErasureReport) -> Element | None:
    rows: list[Sequence[Node]] = [
        (code(one.table), number(one.rows), number(one.erased))
        for one in report.erasures
        if one.erased
    ]
    columns = (Column("Table"), Column("rows", numbers=True), Column("erased", numbers=True))
    return section("Table by table", table("Erased rows per table", columns, rows))
