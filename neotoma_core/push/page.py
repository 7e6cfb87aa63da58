"""A push as a page: what the remote gained, and what was held back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from neotoma_core.pages.document import page
from neotoma_core.pages.elements import Element, Node, code, element, outside
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
    tiles,
)
from neotoma_core.push.report import PushReport

_BADGES: Final = {
    "planned": "a plan; nothing was pushed",
    "pushed": "pushed",
    "unchanged": "nothing was new",
    "held": "held back",
}


def push_page(report: PushReport) -> bytes:
    """Return the page of a push. Counts and names of backups are in it, and no stored value."""
    name = Path(report.target).name
    return page(
        f"Push of {name}",
        heading(
            ("midden push", report.target, report.remote),
            _verdict(report, name),
            "Much is missing from the database; backups taken before are pushed all the same."
            if report.outcome == "held"
            else "",
            _BADGES[report.outcome],
            "bad" if report.outcome == "held" else "good",
        ),
        element(
            "main",
            _alarms(report),
            section(
                "In numbers",
                tiles(
                    (
                        ("versions of rows", number(sum(report.versions.values())), ""),
                        ("raw files", number(report.raw_files), ""),
                        ("backups", number(len(report.backups)), ""),
                        ("pushed", f"{report.bytes / 1e6:,.1f} MB", some(report.entries, "entry")),
                    )
                ),
            ),
            _tables(report),
            findings(report.findings),
        ),
        footing(element("span", f"Took {seconds_spent(report.seconds)}")),
    )


def _verdict(report: PushReport, name: str) -> str:
    if report.outcome == "held":
        return f"{name} as it is now was not pushed to {report.remote}."
    if report.outcome == "unchanged":
        return f"{report.remote} has everything that {name} holds."
    return f"{report.remote} has everything that {name} held when it was pushed."


def _alarms(report: PushReport) -> Element | None:
    items = [element("li", outside(alarm)) for alarm in report.alarms]
    return section("Missing", element("ul", *items)) if items else None


def _tables(report: PushReport) -> Element | None:
    rows: list[Sequence[Node]] = [(code(n), number(count)) for n, count in report.versions.items()]
    rows += [(code(one), "backup") for one in report.backups]
    columns = (Column("What"), Column("versions of rows", numbers=True))
    return section("What was new", table("What was new", columns, rows))
