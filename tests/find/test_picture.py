import re
from dataclasses import replace
from xml.etree import ElementTree as ET

from neotoma_core.find.picture import coverage_html, coverage_svg
from neotoma_core.report.inventory import CopyRow

ROW = CopyRow(
    path="/copies/a.db", path_bytes=None, member=None, shown="/copies/a.db", size=1, modified="",
    digest=None, environment="production", environment_by="name", version_from=None,
    version_before=None, state="sound", problem=None, journal="none", journal_bytes=0,
    observations=5, entities=1, rows={}, first="2026-02-01", last="2026-02-03", days=2,
    entity_types={"secret_type": 1}, database="A", same_as=None, exclusive=2, salvaged=None,
    unproven=0, live=False, backup=None,
)  # fmt: skip
COPIES = [
    replace(ROW, shown="/copies/live.db", live=True),
    ROW,
    replace(ROW, shown="/copies/odd $x$ \N{PILE OF POO} & <b>.db", salvaged="page by page"),
    replace(ROW, shown="/copies/empty.db", observations=0, first=None, last=None),
]
DENSITY = {
    "/copies/live.db": {"2026-03-11": 1},
    "/copies/a.db": {"2026-02-01": 2, "2026-02-03": 3},
    "/copies/odd $x$ \N{PILE OF POO} & <b>.db": {"2026-02-01": 2, "not a day": 9},
    "/copies/empty.db": {},
}


def test_the_picture_stands_alone_and_follows_light_and_dark() -> None:
    svg = coverage_svg(COPIES, DENSITY)
    root = ET.fromstring(svg)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert "prefers-color-scheme:dark" in svg
    assert not re.search(r"#0[1-8]0[1-8]0[1-8]", svg)
    assert not re.search(r"(?:href|src)=\"(?!#)", svg)
    assert "secret_type" not in svg
    assert svg == coverage_svg(COPIES, DENSITY)


def test_there_is_a_bar_for_every_day_and_the_live_database_shows_what_it_lost() -> None:
    svg = coverage_svg(COPIES, DENSITY)
    bars = {
        name: len(
            re.findall(rf'<path d="[^"]*"[^>]*clip-path[^>]*style="fill: var\(--{name}\)', svg)
        )
        for name in ("live", "bars", "lost", "salvaged")
    }
    assert bars == {"live": 1, "bars": 2, "lost": 2, "salvaged": 1}


def test_a_page_holds_the_picture_and_no_copies_is_a_picture_too() -> None:
    page = coverage_html(coverage_svg([], {}))
    assert page.startswith("<!doctype html>")
    assert "<svg" in page
    assert "<?xml" not in page
