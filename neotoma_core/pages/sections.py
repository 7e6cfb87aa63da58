"""Sections that several pages have: the verdict, commands to copy, tables, findings, proofs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from neotoma_core.pages.elements import Element, Node, code, element, outside
from neotoma_core.publication.proofs import Check
from neotoma_core.report.findings import Finding

Mood = Literal["good", "warn", "bad"]
_SHOWN: Final = 200
_PROOFS: Final = {
    "accounted": "Every row is accounted for",
    "written": "What was planned is what is stored",
    "referenced": "Every reference leads somewhere",
    "intact": "The database is intact",
    "re-reduced": "Snapshots follow from the log",
    "acyclic": "No entity is merged into itself",
    "settled": "Nothing is left to be done",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; the cells of one with ``numbers`` are right aligned."""

    title: str
    numbers: bool = False


def heading(eyebrow: Sequence[str], verdict: str, lead: str, badge: str, mood: Mood) -> Element:
    """Return the head of a page: what it is about, the verdict in one sentence, and what it means.

    ``badge``: the verdict in one or two words.
    """
    above = [part for text in eyebrow for part in (" \N{MIDDLE DOT} ", outside(text))][1:]
    return element(
        "header",
        element("p", *above, class_="eyebrow"),
        element("h1", outside(verdict)),
        element("p", element("span", badge, class_=f"badge {mood}")),
        element("p", outside(lead), class_="lead") if lead else None,
    )


def commands(*steps: tuple[str, str, str | None]) -> Element | None:
    """Return commands to copy: each with a title, what it is for, and the command."""
    shown = [
        element("div", element("h2", title), element("p", said, class_="note"), command_line(line))
        for title, said, line in steps
        if line
    ]
    return element("section", element("div", *shown, class_="steps")) if shown else None


def command_line(line: str) -> Element:
    """Return a command, which one click selects."""
    return element("pre", element("code", line, dir="ltr"))


def section(title: str, *children: Node | None) -> Element | None:
    """Return a section; None where there is nothing in it."""
    inside = [child for child in children if child is not None]
    return element("section", element("h2", title), *inside) if inside else None


def tiles(facts: Iterable[tuple[str, str, str]]) -> Element:
    """Return numbers side by side: what each is, the number, and what else to say of it."""
    return element(
        "dl",
        *(
            element(
                "div",
                element("dt", name),
                element("dd", number, element("small", outside(more)) if more else None),
            )
            for name, number, more in facts
        ),
        class_="tiles",
    )


def table(
    label: str, columns: Sequence[Column], rows: Sequence[Sequence[Node]], *, most: int = _SHOWN
) -> Element | None:
    """Return rows as a table, the first cell of each its head; None where there are none.

    ``label``: what the table is, for who cannot see it. Beyond ``most`` rows it says how many more
    there are.
    """
    if not rows:
        return None
    head = element(
        "tr", *(element("th", c.title, scope="col", class_=_class_of(c)) for c in columns)
    )
    body = [
        element(
            "tr",
            *(
                _cell(cell, column, first=not place)
                for place, (cell, column) in enumerate(zip(row, columns, strict=True))
            ),
        )
        for row in rows[:most]
    ]
    more = len(rows) - most
    rest = element("p", f"and {more:,} more; report.json has them", class_="note")
    whole = element("table", element("thead", head), element("tbody", *body))
    return element(
        "div",
        whole,
        rest if more > 0 else None,
        class_="scroll",
        role="region",
        aria_label=label,
        tabindex="0",
    )


def ids(listed: Iterable[tuple[str, str]]) -> Element | None:
    """Return ids in columns, each with what to say of it; None where there are none."""
    items = [element("li", code(one), " ", outside(said)) for one, said in listed]
    return element("ul", *items, class_="ids") if items else None


def findings(found: Sequence[Finding]) -> Element | None:
    """Return what was noticed beyond the numbers."""
    rows: list[Sequence[Node]] = [
        (outside(one.kind), code(one.subject), outside(one.detail)) for one in found
    ]
    columns = (Column("Finding"), Column("About"), Column("What it means"))
    return section("Noticed", table("What was noticed", columns, rows))


def proofs(checks: Sequence[Check]) -> Element | None:
    """Return what was proven before anything was committed, and what each proof looked at."""
    rows: list[Sequence[Node]] = [
        (_PROOFS.get(one.name, one.name), outside(one.detail), _show_outcome(passed=one.passed))
        for one in checks
    ]
    said = element("p", "Each was proven inside the transaction, before the commit.", class_="note")
    columns = (Column("Proof"), Column("What it looked at"), Column("Result"))
    return section("Proofs", said, table("Proofs", columns, rows)) if rows else None


def seconds_spent(seconds: Mapping[str, float]) -> str:
    """Return how long the parts of a run took, in one line."""
    return ", ".join(f"{name} {spent:.1f} s" for name, spent in seconds.items())


def footing(*lines: Node | None) -> Element:
    """Return the foot of a page; every page says that no stored value is in it."""
    return element("footer", *(element("p", line) for line in lines if line is not None))


def number(count: int) -> str:
    """Return a count as pages write it."""
    return f"{count:,}"


def some(count: int, noun: str) -> str:
    """Return so many of something in words: "1 entity", "2 entities"."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else many}"


def _show_outcome(*, passed: bool) -> Element:
    said, mood = ("passed", "good") if passed else ("failed", "bad")
    return element("span", said, class_=f"badge {mood}")


def _cell(cell: Node, column: Column, *, first: bool) -> Element:
    zero = column.numbers and cell == "0"
    classes = " ".join(filter(None, (_class_of(column), "zero" if zero else None))) or None
    return element("th" if first else "td", cell, class_=classes, scope="row" if first else None)


def _class_of(column: Column) -> str | None:
    return "n" if column.numbers else None
