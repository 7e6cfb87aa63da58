"""Rows over time, with backups and drills as marks: shapes that stretch, letters that do not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from neotoma_core.pages.axis import Axis, axis_of
from neotoma_core.pages.elements import Element, element

Mark = Literal["good", "warn", "bad"]
_HEIGHT: Final = 150
_TOP, _FLOOR = 24, 118
_RADIUS: Final = 5
_CLIFF: Final = 0.9  # of the rows of the newest backup
_KEYS: Final = {
    "good": "a backup that is proven",
    "warn": "a backup not proven yet",
    "bad": "a backup that failed, or lacks data",
    "copy": "the database now",
}


@dataclass(frozen=True, slots=True)
class Point:
    """One backup: when it was taken, its rows, and how good it is; ``drilled``: when last."""

    at: datetime
    rows: int
    mark: Mark
    drilled: datetime | None = None


def timeline(points: Sequence[Point], now: datetime, rows_now: int | None) -> Element | None:
    """Return the figure; None where there is no backup.

    ``rows_now``: what the database holds now, where that could be read.
    """
    axis = axis_of([{point.at.date(): 1 for point in points}]) if points else None
    if axis is None:
        return None
    axis = Axis(axis.first, max(axis.last, now.date()), 1)
    most = max([1, rows_now or 0, *(point.rows for point in points)])
    said = (
        f"Observations in {len(points):,} backups from {axis.first} to {axis.last}: from "
        f"{points[0].rows:,} to {points[-1].rows:,}"
        + (f", and {rows_now:,} in the database now" if rows_now is not None else "")
    )
    shapes = [
        *_scale(axis, most),
        *_steps(points, axis, most),
        *_drills(points, axis),
        *(_backup(point, axis, most) for point in points),
        *(_now(points[-1], now, rows_now, axis, most) if rows_now is not None else ()),
    ]
    used = {point.mark for point in points} | ({"copy"} if rows_now is not None else set())
    return element(
        "figure",
        element(
            "figcaption",
            "Observations in each backup, by when it was taken; the marks below are drills.",
        ),
        element("ul", *_keys(used), class_="keys"),
        element("svg", *shapes, role="img", aria_label=said, height=_HEIGHT),
    )


def _keys(used: set[str]) -> Iterator[Element]:
    for kind, said in _KEYS.items():
        if kind in used:
            dot = element("circle", cx="50%", cy="50%", r="45%", class_=f"f-{kind}")
            yield element("li", element("svg", dot, aria_hidden="true"), said)


def _scale(axis: Axis, most: int) -> Iterator[Element]:
    for level, said in ((_TOP, f"{most:,}"), ((_TOP + _FLOOR) / 2, f"{most // 2:,}")):
        yield element("line", x1="0%", x2="100%", y1=level, y2=level, class_="grid dash")
        yield element("text", said, x="0%", y=level - 4)
    yield element("line", x1="0%", x2="100%", y1=_FLOOR, y2=_FLOOR, class_="base")
    for number, (at, said) in enumerate(axis.ticks()):
        last = at > 92  # noqa: PLR2004 - percent: there is no room to its right
        spare = "spare" if number % 2 else None
        anchor = "end" if last else "start"
        yield element("text", said, x=f"{at}%", y=_HEIGHT - 4, text_anchor=anchor, class_=spare)


def _steps(points: Sequence[Point], axis: Axis, most: int) -> Iterator[Element]:
    for one, next_one in pairwise(points):
        yield element(
            "line",
            x1=f"{_across(one.at, axis)}%",
            x2=f"{_across(next_one.at, axis)}%",
            y1=_up(one.rows, most),
            y2=_up(next_one.rows, most),
            class_="s-copy",
        )


def _backup(point: Point, axis: Axis, most: int) -> Element:
    drilled = f"; drilled {point.drilled:%Y-%m-%d}" if point.drilled else "; never drilled"
    return element(
        "circle",
        element("title", f"{point.at:%Y-%m-%d %H:%M}: {point.rows:,} observations{drilled}"),
        cx=f"{_across(point.at, axis)}%",
        cy=_up(point.rows, most),
        r=_RADIUS,
        class_=f"f-{point.mark}",
    )


def _drills(points: Sequence[Point], axis: Axis) -> Iterator[Element]:
    for drilled in sorted({point.drilled for point in points if point.drilled}):
        at = f"{_across(min(drilled, _end(axis, drilled)), axis)}%"
        yield element(
            "rect",
            element("title", f"drill {drilled:%Y-%m-%d %H:%M}"),
            x=at,
            y=_FLOOR + 4,
            width=3,
            height=7,
            class_="f-good",
        )


def _now(newest: Point, now: datetime, rows: int, axis: Axis, most: int) -> tuple[Element, Element]:
    """Return the database now, and the way to there: a cliff where much is gone."""
    fell = rows < newest.rows * _CLIFF
    way = element(
        "line",
        x1=f"{_across(newest.at, axis)}%",
        x2=f"{min(_across(now, axis), 99.2)}%",
        y1=_up(newest.rows, most),
        y2=_up(rows, most),
        class_="s-bad dash" if fell else "s-copy dash",
    )
    return way, element(
        "rect",
        element("title", f"now: {rows:,} observations"),
        x=f"{min(_across(now, axis), 99.2)}%",
        y=_up(rows, most) - _RADIUS,
        width=2 * _RADIUS,
        height=2 * _RADIUS,
        class_="f-copy",
        transform=f"translate(-{_RADIUS} 0)",
    )


def _end(axis: Axis, like: datetime) -> datetime:
    until = axis.last + timedelta(days=1)
    return like.replace(year=until.year, month=until.month, day=until.day)


def _across(moment: datetime, axis: Axis) -> float:
    """Return where a moment is, in percent of the axis, with the hours of its day."""
    day = (moment.hour * 60 + moment.minute) / (24 * 60)
    share = axis.share(moment.date()) + day * 100 / axis.bars
    return round(min(max(share, 0.5), 99.5), 3)


def _up(rows: int, most: int) -> float:
    return round(_FLOOR - (_FLOOR - _TOP) * rows / most, 2)
