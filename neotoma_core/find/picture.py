"""The coverage picture: one lane per copy over time, as one SVG without anything from outside.

The colours are variables that follow the reader's choice of light or dark. In it are paths, counts
and days, and no other stored value.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from warnings import catch_warnings, simplefilter

from matplotlib import rc_context
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from neotoma_core.report.inventory import CopyRow
from neotoma_core.report.layout import common_folder, days

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Stand-ins that matplotlib writes into the SVG, the variables they become, light and dark.
_INK, _SOFT, _LINE = "#010101", "#020202", "#030303"
_BARS, _LIVE, _LOST, _SALVAGED, _TWIN = "#040404", "#050505", "#060606", "#070707", "#080808"
_PALETTE: Final = {
    _INK: ("ink", "#1f2328", "#e6edf3"),
    _SOFT: ("soft", "#5c6570", "#9aa5b1"),
    _LINE: ("line", "#d5dae0", "#333c46"),
    _BARS: ("bars", "#3b76b5", "#6fa8e0"),
    _LIVE: ("live", "#c2410c", "#fb8b4b"),
    _LOST: ("lost", "#f3cfbd", "#5b3220"),
    _SALVAGED: ("salvaged", "#9a6b00", "#d7a83a"),
    _TWIN: ("twin", "#a9c3df", "#3d5672"),
}
_GROUND: Final = ("#ffffff", "#0d1117")
_WIDTH: Final = 11.0  # inches; a lane is this high, and the rest takes as much:
_LANE: Final = 0.56
_AROUND: Final = 1.15
_LABELS: Final = 0.37  # of the width
_MOST_LETTERS: Final = 48
_HEIGHT: Final = 0.86  # of a lane, for the busiest day
_TICKS: Final = ["%Y", "%b", "%b %d", "%H:%M", "%H:%M", "%S.%f"]  # years, months, days, …
_FIRST_TICKS: Final = ["", "%b %Y", "%b %d", "%b %d", "%H:%M", "%H:%M"]
_POINTS: Final = 72  # in an inch
_ROOT: Final = 0.5  # heights grow as the square root, or busy days would hide quiet ones


def coverage_svg(copies: Sequence[CopyRow], density: Mapping[str, Mapping[str, int]]) -> str:
    """Return the picture. ``density``: per copy shown, observations by day."""
    lanes = _lanes(copies, density)
    spans = [_read_days(density[row.shown]) for row in lanes]
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": "midden", "font.size": 9}):
        figure = Figure(figsize=(_WIDTH, _AROUND + _LANE * max(1, len(lanes))))
        axes = figure.subplots()
        height = figure.get_figheight()
        figure.subplots_adjust(
            left=_LABELS, right=0.975, top=1 - 0.72 / height, bottom=0.4 / height
        )
        _draw(axes, lanes, spans)
        _title(figure, lanes, height)
        written = io.StringIO()
        with catch_warnings():  # of letters the font lacks: they are drawn as boxes
            simplefilter("ignore", UserWarning)
            figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    return _theme(written.getvalue(), _describe(lanes))


def coverage_html(svg: str) -> str:
    """Return the picture as a page of its own."""
    inline = svg[svg.index("<svg") :]
    light, dark = _GROUND
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark"><title>Coverage</title><style>'
        f"body{{margin:2rem auto;max-width:70rem;background:{light}}}"
        f"@media(prefers-color-scheme:dark){{body{{background:{dark}}}}}"
        "svg{width:100%;height:auto}</style></head>\n"
        f"<body>{inline}</body></html>\n"
    )


def _lanes(copies: Sequence[CopyRow], density: Mapping[str, Mapping[str, int]]) -> list[CopyRow]:
    """Return the copies with rows: live ones first, then those with most, database by database."""
    drawn = [row for row in copies if row.shown in density]
    return sorted(
        drawn,
        key=lambda row: (
            row.database or "",
            not row.live,
            -(row.observations or 0),
            row.same_as or row.shown,
            row.same_as is not None,
        ),
    )


def _read_days(density: Mapping[str, int]) -> dict[date, int]:
    """Return the days that are days; what else a database says of a time has no place in it."""
    found = {}
    for text, count in density.items():
        try:
            found[date.fromisoformat(text)] = count
        except ValueError:
            continue
    return found


def _draw(axes: "Axes", lanes: Sequence[CopyRow], spans: Sequence[Mapping[date, int]]) -> None:
    folder = common_folder([row.shown for row in lanes])
    every = [day for span in spans for day in span]
    first, last = min(every, default=date(2026, 1, 1)), max(every, default=date(2026, 1, 2))
    most = max((count for span in spans for count in span.values()), default=1)
    for place, (row, span) in enumerate(zip(lanes, spans, strict=True)):
        floor = len(lanes) - 1 - place
        axes.axhline(floor, color=_LINE, linewidth=0.8, zorder=1)
        if row.live:
            _bars(axes, _count_held_by_others(row, lanes, spans), floor, most, _LOST)
        _bars(axes, span, floor, most, _colour(row))
        _label(axes, _elide(row.shown.removeprefix(folder)), row, floor)
    margin = timedelta(days=max(1, (last - first).days // 60))
    axes.set_xlim(date2num(first - margin), date2num(last + margin))
    axes.set_ylim(-0.12, len(lanes) - 1 + _HEIGHT + 0.1)
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(locator, formats=_TICKS, zero_formats=_FIRST_TICKS, show_offset=False)
    )
    axes.tick_params(axis="x", colors=_SOFT, length=3, color=_LINE)
    axes.grid(visible=True, axis="x", color=_LINE, linewidth=0.5, zorder=0)
    axes.set_axisbelow(True)
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)


def _bars(axes: "Axes", span: Mapping[date, int], floor: int, most: int, colour: str) -> None:
    if not span:
        return
    wanted = sorted(span)
    heights = [_HEIGHT * (span[day] / most) ** _ROOT for day in wanted]
    places = [date2num(day) for day in wanted]
    axes.bar(places, heights, width=0.82, bottom=floor, color=colour, linewidth=0, zorder=2)


def _count_held_by_others(
    live: CopyRow, lanes: Sequence[CopyRow], spans: Sequence[Mapping[date, int]]
) -> dict[date, int]:
    """Return per day the most that any other copy of the same database has."""
    most: dict[date, int] = {}
    for row, span in zip(lanes, spans, strict=True):
        if row is not live and row.database == live.database:
            for day, count in span.items():
                most[day] = max(most.get(day, 0), count)
    return most


def _colour(row: CopyRow) -> str:
    if row.live:
        return _LIVE
    if row.salvaged:
        return _SALVAGED
    return _TWIN if row.same_as else _BARS


def _label(axes: "Axes", text: str, row: CopyRow, floor: int) -> None:
    weight = "bold" if row.live else "normal"
    lines = ((text, 15, _INK, 9.0, weight), (_facts(row), 4, _SOFT, 7.5, "normal"))
    for line, above, colour, size, line_weight in lines:
        axes.annotate(
            line,
            (0, floor),
            xytext=(-10, above),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
            va="center",
            color=colour,
            fontsize=size,
            fontweight=line_weight,
            annotation_clip=False,
            parse_math=False,
        )


def _facts(row: CopyRow) -> str:
    facts = [f"{row.observations or 0:,} observations", days(row.first, row.last)]
    if row.exclusive and not row.same_as:
        facts.append(f"{row.exclusive:,} only here")
    if row.salvaged:
        facts.append(f"salvaged, {row.state}")
    if row.same_as:
        facts.append("same bytes as another")
    if row.environment == "development":
        facts.append("development")
    return "  \N{MIDDLE DOT}  ".join(filter(None, facts))


def _title(figure: Figure, lanes: Sequence[CopyRow], height: float) -> None:
    figure.text(
        0.012, 1 - 0.26 / height, "What each copy covers", color=_INK, fontsize=13,
        fontweight="bold", va="center",
    )  # fmt: skip
    what = "observations per day, by the day observed; heights grow as the square root"
    figure.text(0.012, 1 - 0.5 / height, what, color=_SOFT, fontsize=8, va="center")
    keys = [("copy", _BARS)]
    keys += [("live", _LIVE), ("only in its copies", _LOST)] if any(r.live for r in lanes) else []
    keys += [("salvaged", _SALVAGED)] if any(r.salvaged for r in lanes) else []
    keys += [("same bytes", _TWIN)] if any(r.same_as for r in lanes) else []
    at, level = 0.975, 1 - 0.5 / height
    for text, colour in reversed(keys):
        at -= TextPath((0, 0), text, size=8).get_extents().width / _POINTS / _WIDTH
        figure.text(at, level, text, color=_SOFT, fontsize=8, va="center")
        at -= 0.016
        figure.text(at, level, "\N{BLACK SQUARE}", color=colour, fontsize=10, va="center")
        at -= 0.018


def _elide(text: str) -> str:
    """Return a path short enough for its lane: what is left out is in the middle."""
    if len(text) <= _MOST_LETTERS:
        return text
    end = text[-(_MOST_LETTERS * 2 // 3) :]
    return f"{text[: _MOST_LETTERS - len(end) - 1]}\N{HORIZONTAL ELLIPSIS}{end}"


def _describe(lanes: Sequence[CopyRow]) -> str:
    return f"Observations per day in {len(lanes):,} copies of Neotoma databases."


def _theme(svg: str, description: str) -> str:
    """Return the SVG with its stand-in colours made variables, light and dark."""
    for colour, (name, _, _) in _PALETTE.items():
        svg = svg.replace(colour, f"var(--{name})")
    light = "".join(f"--{name}:{colour};" for name, colour, _ in _PALETTE.values())
    dark = "".join(f"--{name}:{colour};" for name, _, colour in _PALETTE.values())
    style = (
        f"<style>svg{{{light}}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}</style>"
        f"<desc>{description}</desc>"
    )
    start = svg.index(">", svg.index("<svg")) + 1
    return svg[:start] + style + svg[start:]
