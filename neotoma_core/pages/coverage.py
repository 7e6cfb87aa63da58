"""What each copy covers: one lane per copy over time, as real text and shapes that stretch.

In it are names, counts and days, and no stored value. Places across are in percent, so that letters
keep their size however wide a page is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Literal

from neotoma_core.pages.axis import Axis, axis_of, keep_dates
from neotoma_core.pages.elements import Element, element, outside
from neotoma_core.pages.style import PICTURE_STYLE

Kind = Literal["target", "after", "copy", "salvaged", "twin"]
MOST_LANES: Final = 40
_HEIGHT, _TOP, _FLOOR = 76, 18, 70
_LEAST: Final = 1.5  # of a bar, so that a quiet day is seen
_WIDE: Final = 1_100
_LABELS: Final = 390
_GAP: Final = 0.86
_KEYS: Final = {
    "target": "the database",
    "after": "the database now",
    "copy": "a copy",
    "salvaged": "salvaged from a damaged copy",
    "twin": "same bytes as another copy",
    "lost": "missing here, held by a copy",
}


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: its name, what else to say of it, and its observations by day.

    ``lost``: per day, what it lacks and others have.
    """

    name: str
    facts: tuple[str, ...]
    kind: Kind
    days: Mapping[str, int]
    lost: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Drawn:
    lane: Lane
    bars: Mapping[date, int]
    lost: Mapping[date, int]


def coverage(lanes: Sequence[Lane], noun: str = "observations") -> Element | None:
    """Return the lanes as a figure; None where there is no day to show."""
    axis, drawn, most = _measure(lanes)
    if axis is None:
        return None
    more = len(lanes) - MOST_LANES
    return element(
        "figure",
        element("figcaption", _explain(axis, noun)),
        _keys(drawn),
        *(
            element("div", *_label(one.lane), _bars(one, axis, most, noun), class_="lane")
            for one in drawn
        ),
        _axis_line(axis),
        element("p", f"{more:,} more copies are not drawn", class_="note") if more > 0 else None,
    )


def coverage_picture(lanes: Sequence[Lane]) -> bytes:
    """Return the lanes as one SVG that stands alone, 1,100 units wide."""
    axis, drawn, most = _measure(lanes)
    height = 64 + _HEIGHT * len(drawn) + 30
    inside = list(_standing(axis, drawn, most)) if axis else []
    said = f"Observations per day in {len(drawn):,} copies of Neotoma databases."
    picture = element(
        "svg",
        element("title", "What each copy covers"),
        element("desc", said),
        element("style", PICTURE_STYLE),
        element("text", "What each copy covers", x=16, y=28, font_weight="bold", class_="name"),
        element("text", _explain(axis, "observations") if axis else said, x=16, y=48),
        *inside,
        xmlns="http://www.w3.org/2000/svg",
        width=_WIDE,
        height=height,
        viewBox=f"0 0 {_WIDE} {height}",
        role="img",
    )
    return f"{picture.markup()}\n".encode()


def _standing(axis: Axis, drawn: Sequence[_Drawn], most: int) -> Iterator[Element]:
    room = str(_WIDE - _LABELS - 16)
    for place, one in enumerate(drawn):
        top = 64 + _HEIGHT * place
        weight = "bold" if one.lane.kind == "target" else None
        name = _elide(one.lane.name)
        yield element("text", name, x=16, y=top + 40, font_weight=weight, class_="name")
        yield element("text", _elide(" \N{MIDDLE DOT} ".join(one.lane.facts)), x=16, y=top + 58)
        bars = _bars(one, axis, most, "observations")
        yield element("svg", bars, x=_LABELS, y=top, width=room, height=_HEIGHT)
    below = 64 + _HEIGHT * len(drawn)
    yield element("svg", *_ticks(axis), x=_LABELS, y=below, width=room, height=24)


def _measure(lanes: Sequence[Lane]) -> tuple[Axis | None, list[_Drawn], int]:
    """Return the axis of the lanes, what is drawn on it, and the highest bar."""
    shown = lanes[:MOST_LANES]
    spans = [keep_dates(lane.days) for lane in shown]
    lost = [keep_dates(lane.lost) for lane in shown]
    axis = axis_of([*spans, *lost])
    if axis is None:
        return None, [], 1
    drawn = [
        _Drawn(lane, axis.bin_days(span), axis.bin_days(gone))
        for lane, span, gone in zip(shown, spans, lost, strict=True)
    ]
    return axis, drawn, max(max(_stack(one).values(), default=1) for one in drawn)


def _stack(one: _Drawn) -> dict[date, int]:
    return {day: one.bars.get(day, 0) + one.lost.get(day, 0) for day in {*one.bars, *one.lost}}


def _explain(axis: Axis, noun: str) -> str:
    per = "day" if axis.step == 1 else f"{axis.step} days"
    return f"{noun.capitalize()} per {per}, by the day they were observed; all lanes have one scale"


def _keys(drawn: Sequence[_Drawn]) -> Element:
    used = {one.lane.kind for one in drawn} | {"lost" for one in drawn if one.lost}
    return element(
        "ul",
        *(
            element(
                "li",
                element(
                    "svg",
                    element("rect", width="100%", height="100%", rx=2, class_=f"f-{kind}"),
                    aria_hidden="true",
                ),
                said,
            )
            for kind, said in _KEYS.items()
            if kind in used
        ),
        class_="keys",
    )


def _label(lane: Lane) -> tuple[Element, Element]:
    name = outside(lane.name)
    return (
        element("p", element("strong", name) if lane.kind in ("target", "after") else name),
        element("p", " \N{MIDDLE DOT} ".join(lane.facts), class_="facts"),
    )


def _bars(one: _Drawn, axis: Axis, most: int, noun: str) -> Element:
    rows = sum(one.bars.values())
    spans = f", from {min(one.bars)} to {max(one.bars)}" if one.bars else ""
    gone = f"; {sum(one.lost.values()):,} are missing" if one.lost else ""
    said = f"{one.lane.name}: {rows:,} {noun}{spans}{gone}"
    scale = [
        element("line", x1="0%", x2="100%", y1=_TOP, y2=_TOP, class_="grid dash"),
        element("text", f"{most:,}", x="0%", y=_TOP - 5),
        *(
            element("line", x1=f"{at}%", x2=f"{at}%", y1=_TOP, y2=_FLOOR, class_="grid")
            for at, _ in axis.ticks()
        ),
        element("line", x1="0%", x2="100%", y1=_FLOOR, y2=_FLOOR, class_="base"),
    ]
    shapes = [shape for day in sorted(_stack(one)) for shape in _bar(one, day, axis, most)]
    return element("svg", *scale, *shapes, role="img", aria_label=said, height=_HEIGHT)


def _bar(one: _Drawn, day: date, axis: Axis, most: int) -> Iterator[Element]:
    """Yield the bar of one day, and what is missing on top of it."""
    floor = float(_FLOOR)
    until = day + timedelta(days=axis.step - 1)
    when = f"{day}" if axis.step == 1 else f"{day} to {until}"
    for count, kind in ((one.bars.get(day, 0), one.lane.kind), (one.lost.get(day, 0), "lost")):
        if not count:
            continue
        height = max(_LEAST, (_FLOOR - _TOP) * count / most)
        floor -= height
        word = f"{count:,} missing" if kind == "lost" else f"{count:,}"
        yield element(
            "rect",
            element("title", f"{when}: {word}"),
            x=f"{axis.share(day)}%",
            width=f"{_GAP * 100 / axis.bars:.3f}%",
            y=round(floor, 2),
            height=round(height, 2),
            class_=f"f-{kind}",
        )


def _axis_line(axis: Axis) -> Element:
    return element("svg", *_ticks(axis), height=24, aria_hidden="true")


def _ticks(axis: Axis) -> Iterator[Element]:
    for number, (at, said) in enumerate(axis.ticks()):
        last = at > 92  # noqa: PLR2004 - percent: there is no room to its right
        anchor = "end" if last else "start"
        spare = "spare" if number % 2 else None
        yield element("text", said, x=f"{at}%", y=14, text_anchor=anchor, class_=spare)


def _elide(text: str, most: int = 60) -> str:
    """Return a text short enough for its place: what is left out is in the middle."""
    if len(text) <= most:
        return text
    end = text[-(most * 2 // 3) :]
    return f"{text[: most - len(end) - 1]}\N{HORIZONTAL ELLIPSIS}{end}"
