"""The picture of analytics.md: observations per day and type, from an export of the incident.

``python docs/observations_per_day.py EXPORT docs/observations-per-day.svg``, with matplotlib, which
nothing else needs. Colours and greys are legible on light and on dark.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import polars as pl
from matplotlib import pyplot as plt

COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#e15759", "#76b7b2", "#9c755f")
GREY = "#7d8590"


def draw(export: Path, picture: Path) -> None:
    """Draw a bar per day, its types one upon the other, the most frequent at the bottom."""
    observed = pl.read_parquet(export / "observations.parquet")
    by_day = observed.select("entity_type", day=pl.col("observed_at").dt.date())
    types = by_day["entity_type"].value_counts(sort=True)["entity_type"].to_list()
    counts = by_day.group_by("day", "entity_type").len()
    days = pl.DataFrame({"day": by_day["day"].unique().sort()})
    mpl.rcParams.update({"svg.fonttype": "none", "font.size": 9, "svg.hashsalt": "midden"})
    figure, axes = plt.subplots(figsize=(7.2, 2.9))
    below = [0] * days.height
    for colour, name in zip(COLOURS, types, strict=False):
        part = counts.filter(pl.col("entity_type") == name).select("day", "len")
        heights = days.join(part, on="day", how="left", maintain_order="left")["len"].fill_null(0)
        label = name.replace("_", " ")
        axes.bar(days["day"], heights, bottom=below, width=0.8, color=colour, label=label)
        below = [b + h for b, h in zip(below, heights, strict=True)]
    axes.set_ylabel("observations a day", color=GREY)
    axes.tick_params(colors=GREY, length=0)
    axes.xaxis.set_major_formatter(mpl.dates.DateFormatter("%b %-d"))
    axes.grid(axis="y", color=GREY, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    legend = axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    for text in legend.get_texts():
        text.set_color(GREY)
    figure.savefig(picture, transparent=True, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
