"""A time axis: days as places from left to right, several to a bar where there are very many."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_MOST_BARS: Final = 180
_MOST_TICKS: Final = 6
_DAYS: Final = (1, 2, 7, 14)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 600, 1_200, 6_000, 24_000)
_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Axis:
    """The days from ``first`` to ``last``, ``step`` of them to a bar."""

    first: date
    last: date
    step: int

    @property
    def bars(self) -> int:
        """How many bars there is room for."""
        return ((self.last - self.first).days // self.step) + 1

    def share(self, day: date) -> float:
        """Return where a day begins, in percent of the axis."""
        return round(100 * (day - self.first).days / (self.bars * self.step), 3)

    def bin_days(self, days: Mapping[date, int]) -> dict[date, int]:
        """Return what there is per bar, by its first day."""
        bars: dict[date, int] = {}
        for day, count in sorted(days.items()):
            start = self.first + timedelta(days=(day - self.first).days // self.step * self.step)
            bars[start] = bars.get(start, 0) + count
        return bars

    def ticks(self) -> list[tuple[float, str]]:
        """Return places in percent, and what to write at each; at most six."""
        for stride in _DAYS:
            if (self.last - self.first).days // stride < _MOST_TICKS:
                days = range(0, (self.last - self.first).days + 1, stride)
                places = [self.first + timedelta(days=number) for number in days]
                return [(self.share(day), f"{day:%b} {day.day}") for day in places]
        for stride in _MONTHS:
            months = list(self._months(stride))
            if len(months) <= _MOST_TICKS:
                break
        return [(self.share(day), _name_day(day, stride)) for day in months]

    def _months(self, stride: int) -> Iterator[date]:
        number = self.first.year * _YEAR + self.first.month - 1
        number += -number % stride
        while number < (date.max.year + 1) * _YEAR:
            month = date(number // _YEAR, number % _YEAR + 1, 1)
            if month > self.last:
                return
            if month >= self.first:
                yield month
            number += stride


def axis_of(spans: Sequence[Mapping[date, int]]) -> Axis | None:
    """Return the axis that all days fit on; None where there are none."""
    every = [day for span in spans for day in span]
    if not every:
        return None
    first, last = min(every), max(every)
    return Axis(first, last, (last - first).days // _MOST_BARS + 1)


def keep_dates(days: Mapping[str, int]) -> dict[date, int]:
    """Return the days that are days; what else a database says of a time has no place here."""
    found = {}
    for text, count in days.items():
        try:
            found[date.fromisoformat(text)] = count
        except ValueError:
            continue
    return found


def _name_day(day: date, stride: int) -> str:
    if stride >= _YEAR:
        return f"{day.year}"
    return f"{day:%b} {day.year}" if day.month == 1 else f"{day:%b}"
