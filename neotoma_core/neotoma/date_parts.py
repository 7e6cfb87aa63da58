"""What a date text is made of: its tokens, and the parts gathered from them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_SIGNIFICANT_DIGITS: Final = 9
_DAY_PARTS: Final = 3
_TIME_PARTS: Final = 4
_HIGHEST_TIME_PARTS: Final = (23, 59, 59, 999)
_MAX_SMALL_INTEGER: Final = 2**31 - 1
_UNSIGNED_32: Final = 2**32
_MAX_YEAR: Final = 2**30
_MONTHS: Final = 12
_DAYS: Final = 31  # of any month: V8 takes 30 February for 2 March
_HALF_DAY: Final = 12  # hours
_MINUTES: Final = 60
_CENTURY: Final = 100
_PIVOT: Final = 50  # years of two digits before it are of this century

_MONTH: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_HALF_DAYS: Final = {"am": 0, "pm": 12}
_ZONES: Final = {
    "ut": 0,
    "utc": 0,
    "z": 0,
    "gmt": 0,
    "edt": -4,
    "est": -5,
    "cdt": -5,
    "cst": -6,
    "mdt": -6,
    "mst": -7,
    "pdt": -7,
    "pst": -8,
}
_SPACE: Final = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff"
"""White space; the line ends U+2028 and U+2029 are letters to the date reader of V8."""

_TOKEN: Final = re.compile(
    rf"(?P<number>[0-9]+)|(?P<symbol>[-:+.)])|(?P<space>[{_SPACE}])|(?P<word>[^\0-@{_SPACE}]+)"
    r"|(?P<other>.)",
    re.DOTALL,
)


class Refused(Exception):
    """The text is not a date; ``instant_ms`` catches it."""


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a date text."""

    kind: str
    text: str

    @property
    def number(self) -> int:
        """The value of a number; only its first nine significant digits count."""
        return int(self.text.lstrip("0")[:_SIGNIFICANT_DIGITS] or "0")

    @property
    def sign(self) -> int:
        """-1 for a minus, else 1."""
        return -1 if self.text == "-" else 1

    def has_digits(self, count: int) -> bool:
        """Tell whether this is a number of so many digits."""
        return self.kind == "number" and len(self.text) == count

    def is_sign(self) -> bool:
        """Tell whether this is a plus or a minus."""
        return self.text in {"+", "-"}

    def is_word(self, word: str) -> bool:
        """Tell whether this is the word, in capitals or not."""
        return self.kind == "word" and self.text.lower() == word

    def month(self) -> int | None:
        """Return 1 to 12 for a word that begins like a month."""
        start = self.text[:3].lower()
        return _MONTH.index(start) + 1 if start in _MONTH else None

    def half_day_hours(self) -> int | None:
        """Return the hours that AM or PM adds."""
        return _HALF_DAYS.get(self.text.lower())

    def zone_hours(self) -> int | None:
        """Return the hours a zone is ahead of UTC, of the few zones with a name."""
        return _ZONES.get(self.text.lower())


_END: Final = Token("end", "")


def milliseconds(fraction: Token) -> int:
    """Return the first three digits of a fraction of a second.

    V8 keeps nine significant digits but counts leading zeros, so a fraction of more than nine
    digits that begins with zeros comes out too large. That is kept.
    """
    scale: int = 10 ** min(len(fraction.text), _SIGNIFICANT_DIGITS)
    return fraction.number * 1000 // scale


def tokens_of(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text up to its first NUL, brackets and what they hold left out."""
    return tuple(_tokens(text.partition("\0")[0]))


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while found := _TOKEN.match(text, position):
        position = found.end()
        if found[0] == "(":
            position = _end_of_brackets(text, position)
        yield Token(found.lastgroup or "other", found[0])


def _end_of_brackets(text: str, position: int) -> int:
    depth = 1
    for at in range(position, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)


@dataclass(slots=True)
class Scanner:
    """A place in a row of tokens."""

    tokens: tuple[Token, ...]
    position: int = 0

    def peek(self) -> Token:
        """Return the next token and stay."""
        return self.tokens[self.position] if self.position < len(self.tokens) else _END

    def next(self) -> Token:
        """Return the next token and pass it."""
        token = self.peek()
        self.position += 1
        return token

    def skip(self, symbol: str) -> bool:
        """Pass the next token if it is this symbol; tell whether it was."""
        found = self.peek().text == symbol
        self.position += found
        return found


@dataclass(slots=True)
class DateParts:
    """The parts of a date read so far; times in hours, minutes, seconds, milliseconds."""

    day: list[int] = field(default_factory=list)
    month: int | None = None
    time: list[int] = field(default_factory=list)
    half_day_hours: int | None = None
    zone_sign: int | None = None
    zone_hour: int | None = None
    zone_minute: int | None = None
    is_iso: bool = False

    def has_day(self) -> bool:
        """Tell whether any part of the day was read."""
        return bool(self.day)

    def has_time(self) -> bool:
        """Tell whether any part of the time was read."""
        return bool(self.time)

    def add_day_part(self, number: int) -> None:
        """Take a number for the next part of the day."""
        if len(self.day) == _DAY_PARTS:
            raise Refused
        self.day.append(number)

    def add_time_part(self, number: int) -> None:
        """Take a number for the next part of the time."""
        if len(self.time) == _TIME_PARTS:
            raise Refused
        self.time.append(number)

    def finish_time(self, number: int) -> None:
        """Take a number for the last part of the time that will be given; none if all were."""
        self.time = [*self.time, number, 0, 0, 0][:_TIME_PARTS]

    def expects_time(self, number: int) -> bool:
        """Tell whether a number can be the next part of a time already begun."""
        return 0 < len(self.time) < _TIME_PARTS and number <= _HIGHEST_TIME_PARTS[len(self.time)]

    def expects_zone_minute(self, number: int) -> bool:
        """Tell whether a number can be the minutes of a zone whose hours are known."""
        return self.zone_hour is not None and self.zone_minute is None and number < _MINUTES

    def set_zone(self, hours: int) -> None:
        """Set the zone to whole hours ahead of UTC."""
        self.zone_sign, self.zone_hour, self.zone_minute = (-1 if hours < 0 else 1), abs(hours), 0

    def is_utc(self) -> bool:
        """Tell whether the zone is known to be UTC."""
        return self.zone_hour == 0 and self.zone_minute == 0

    def calendar_day(self) -> tuple[int, int, int]:
        """Return year, month and day; two-digit years are of 1950 to 2049."""
        if not self.day:
            raise Refused
        year, month, day = self._arrange()
        if not self.is_iso and 0 <= year < _CENTURY:
            year += 2000 if year < _PIVOT else 1900
        if not (1 <= month <= _MONTHS and 1 <= day <= _DAYS and abs(year) <= _MAX_YEAR):
            raise Refused
        return year, month, day

    def _arrange(self) -> tuple[int, int, int]:
        """Return the numbers as year, month, day: year first if it cannot be a day, else last.

        A number that was not given is 1, so a day and a month alone are of 2001.
        """
        first, second, third = (*self.day, 1, 1)[:3]
        first_is_day = 1 <= first <= _DAYS
        if self.month is not None:
            return (second, self.month, first) if first_is_day else (first, self.month, second)
        if self.is_iso or not first_is_day:
            return first, second, third
        return third, first, second

    def time_of_day_ms(self) -> int:
        """Return the milliseconds since midnight."""
        hour, minute, second, millisecond = (*self.time, 0, 0, 0, 0)[:4]
        if self.half_day_hours is not None:
            if not 0 <= hour <= _HALF_DAY:
                raise Refused
            hour = hour % _HALF_DAY + self.half_day_hours
        parts = (hour, minute, second, millisecond)
        within = all(p <= highest for p, highest in zip(parts, _HIGHEST_TIME_PARTS, strict=True))
        if not within and parts != (24, 0, 0, 0):
            raise Refused
        return ((hour * 60 + minute) * 60 + second) * 1000 + millisecond

    def zone_ms(self) -> int:
        """Return how far the zone is ahead of UTC; without a zone it is the process's, UTC.

        V8 counts the seconds in 32 bits, and so do we.
        """
        if self.zone_sign is None:
            return 0
        seconds = ((self.zone_hour or 0) * 3600 + (self.zone_minute or 0) * 60) % _UNSIGNED_32
        if seconds > _MAX_SMALL_INTEGER:
            raise Refused
        return self.zone_sign * seconds * 1000
