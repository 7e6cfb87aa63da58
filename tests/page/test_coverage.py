"""The picture of who had what: every day has its place, and what is missing is seen."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest

from neotoma_core.pages.axis import Axis, axis_of, keep_dates
from neotoma_core.pages.coverage import MOST_LANES, Lane, coverage, coverage_picture

WIPED = Lane("live.db", ("1 observation",), "target", {"2026-03-11": 1}, {"2026-02-01": 40})
COPY = Lane("a <b>.db", ("80 observations",), "copy", {"2026-02-01": 40, "2026-02-03": 40})


def draw(lanes: list[Lane]) -> str:
    figure = coverage(lanes)
    assert figure is not None
    return figure.markup()


def test_each_day_is_a_bar_and_what_is_missing_is_drawn_as_such() -> None:
    markup = draw([WIPED, COPY])
    kinds = re.findall(r'<rect x=[^>]* class="f-(\w+)"', markup)
    assert sorted(kinds) == ["copy", "copy", "lost", "target"]
    assert "2026-02-01: 40 missing" in markup
    assert "live.db: 1 observations, from 2026-03-11 to 2026-03-11; 40 are missing" in markup
    assert "a &lt;b&gt;.db" in markup


def test_all_lanes_have_one_scale_which_is_written_on_them() -> None:
    few = Lane("few.db", (), "copy", {"2026-02-01": 10})
    markup = draw([COPY, few])
    assert markup.count(">40</text>") == 2
    heights = [
        float(h) for h in re.findall(r'<rect x=[^>]* height="([\d.]+)" class="f-copy"', markup)
    ]
    assert heights == [52, 52, 13]


@pytest.mark.parametrize("years", [0, 1, 3, 80, 7_900])
def test_days_of_any_span_fit_and_are_told_apart(years: int) -> None:
    first = date(2026, 2, 1)
    last = min(first + timedelta(days=365 * years + 20), date.max - timedelta(days=1))
    axis = axis_of([{first: 1, last: 1}])
    assert axis is not None
    assert axis.bars <= 181
    assert sum(axis.bin_days({first: 1, last: 2}).values()) == 3
    ticks = axis.ticks()
    assert 1 <= len(ticks) <= 7
    assert all(0 <= at <= 100 for at, _ in ticks)
    assert 0 <= axis.share(last) < 100


def test_what_is_not_a_day_is_left_out_and_nothing_is_no_figure() -> None:
    assert keep_dates({"not a day": 9, "2026-02-01": 2, "9999-99-99": 1}) == {date(2026, 2, 1): 2}
    assert coverage([Lane("x", (), "copy", {"never": 1})]) is None
    assert Axis(date.max, date.max, 1).ticks() == [(0.0, "Dec 31")]


def test_beyond_the_most_lanes_it_says_how_many_more_there_are() -> None:
    lanes = [Lane(f"{n}.db", (), "copy", {"2026-02-01": 1}) for n in range(MOST_LANES + 3)]
    assert "3 more copies are not drawn" in draw(lanes)


def test_the_picture_stands_alone_and_follows_light_and_dark() -> None:
    picture = coverage_picture([WIPED, COPY]).decode()
    assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own
    assert "prefers-color-scheme:dark" in picture
    assert not re.search(r"(?:href|src)=", picture)
    assert "live.db" in picture
    assert ET.fromstring(coverage_picture([])).tag.endswith("svg")  # noqa: S314 - our own
