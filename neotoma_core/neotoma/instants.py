"""Dates as ``new Date(text).getTime()`` reads them in Node, in a process whose time zone is UTC.

V8 first tries the ISO form of ECMAScript; whatever that cannot finish goes to a lenient reader of
words, numbers and punctuation. Upstream: V8, src/date (its rules restated, checked against Node).
"""

import re
from datetime import UTC, date, datetime
from typing import Final

from neotoma_core.neotoma.date_parts import (
    DateParts,
    Refused,
    Scanner,
    Token,
    milliseconds,
    tokens_of,
)

_DAY_MS: Final = 86_400_000
_MAX_TIME_MS: Final = 8_640_000_000_000_000
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_YEARS_PER_CYCLE: Final = 400
_DAYS_PER_CYCLE: Final = 146_097

_AS_WRITTEN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_MIDNIGHT: Final = 24  # an hour of its own, at the end of the day
_LAST_HOUR: Final = 23
_LAST_MINUTE: Final = 59


def instant_ms(text: str | None) -> int | None:
    """Return the instant a text denotes, in milliseconds since 1970, UTC; None where it is NaN.

    ``None`` is the JSON null, which JavaScript takes for the epoch: 0. Digits below the
    millisecond are cut off. A date alone is UTC, a date and time without zone is process time.
    """
    if text is None:
        return 0
    if _AS_WRITTEN.fullmatch(text):
        try:
            since = datetime.fromisoformat(text) - _EPOCH
        except ValueError:
            return _parse(text)  # February 30, hour 24, year 0
        return since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000
    return _parse(text)


def _parse(text: str) -> int | None:
    scanner, parts = Scanner(tokens_of(text)), DateParts()
    try:
        if not _read_iso(scanner, parts):
            _read_leniently(scanner, parts)
        return _since_epoch(parts)
    except Refused:
        return None


def _since_epoch(parts: DateParts) -> int | None:
    """Return the instant the parts denote; a day beyond its month runs on into the next."""
    year, month, day = parts.calendar_day()
    cycles, year_of_cycle = divmod(year, _YEARS_PER_CYCLE)
    first = date(year_of_cycle or _YEARS_PER_CYCLE, month, 1).toordinal()
    cycles -= year_of_cycle == 0
    days = first + cycles * _DAYS_PER_CYCLE + day - 1 - _EPOCH_ORDINAL
    instant = days * _DAY_MS + parts.time_of_day_ms() - parts.zone_ms()
    return instant if abs(instant) <= _MAX_TIME_MS else None


def _read_iso(scanner: Scanner, parts: DateParts) -> bool:
    """Read the ISO form; False where the lenient reader must go on from here.

    Raises:
        Refused: The text holds an ISO time that is wrong; nothing else is tried.
    """
    if not _read_iso_day(scanner, parts):
        return False
    if scanner.peek().is_word("t"):
        scanner.next()
        _read_iso_time(scanner, parts)
        _read_iso_zone(scanner, parts)
        if scanner.peek().kind != "end":
            raise Refused
    elif scanner.peek().kind != "end":
        return False
    else:
        parts.set_zone(0)
    parts.is_iso = True
    return True


def _read_iso_day(scanner: Scanner, parts: DateParts) -> bool:
    """Read YYYY, YYYY-MM or YYYY-MM-DD, or six digits and a sign for the year."""
    if scanner.peek().is_sign():
        sign = scanner.next().sign
        if not scanner.peek().has_digits(6):
            return False
        year = sign * scanner.next().number
        if sign < 0 and year == 0:
            return False
        parts.add_day_part(year)
    elif scanner.peek().has_digits(4):
        parts.add_day_part(scanner.next().number)
    else:
        return False
    for highest in (12, 31):
        if not scanner.skip("-"):
            return True
        part = scanner.peek()
        if not (part.has_digits(2) and 1 <= part.number <= highest):
            return False
        parts.add_day_part(scanner.next().number)
    return True


def _read_iso_time(scanner: Scanner, parts: DateParts) -> None:
    """Read HH:mm, HH:mm:ss or HH:mm:ss.fraction; 24 stands for midnight only."""
    hour = _two_digits(scanner, _MIDNIGHT)
    parts.add_time_part(hour)
    highest = 0 if hour == _MIDNIGHT else _LAST_MINUTE
    if not scanner.skip(":"):
        raise Refused
    parts.add_time_part(_two_digits(scanner, highest))
    if not scanner.skip(":"):
        return
    parts.add_time_part(_two_digits(scanner, highest))
    if scanner.skip("."):
        fraction = scanner.next()
        if fraction.kind != "number" or (highest == 0 and fraction.number > 0):
            raise Refused
        parts.add_time_part(milliseconds(fraction))


def _read_iso_zone(scanner: Scanner, parts: DateParts) -> None:
    """Read Z, +hh:mm or +hhmm, if there is one."""
    if scanner.peek().is_word("z"):
        scanner.next()
        parts.set_zone(0)
    elif scanner.peek().is_sign():
        parts.zone_sign = scanner.next().sign
        if scanner.peek().has_digits(4):
            parts.zone_hour, parts.zone_minute = divmod(scanner.next().number, 100)
            if parts.zone_hour > _LAST_HOUR or parts.zone_minute > _LAST_MINUTE:
                raise Refused
        else:
            parts.zone_hour = _two_digits(scanner, _LAST_HOUR)
            if not scanner.skip(":"):
                raise Refused
            parts.zone_minute = _two_digits(scanner, _LAST_MINUTE)


def _two_digits(scanner: Scanner, highest: int) -> int:
    part = scanner.next()
    if not (part.has_digits(2) and part.number <= highest):
        raise Refused
    return part.number


def _read_leniently(scanner: Scanner, parts: DateParts) -> None:
    """Read numbers, month names, times, zones and remarks in any sensible order."""
    number_seen = parts.has_day()
    while (token := scanner.next()).kind != "end":
        if token.kind == "number":
            number_seen = True
            _place_number(token.number, scanner, parts)
        elif token.kind == "word":
            _place_word(token, scanner, parts, number_seen=number_seen)
        elif token.is_sign() and (parts.is_utc() or parts.has_time()):
            number_seen = True
            _place_offset(token.sign, scanner, parts)
        elif number_seen and (token.is_sign() or token.text == ")"):
            raise Refused


def _place_number(number: int, scanner: Scanner, parts: DateParts) -> None:
    """Decide by what follows whether a number belongs to the time, the zone or the day."""
    if scanner.skip(":"):
        if scanner.skip(":"):
            if parts.has_time():
                raise Refused
            parts.add_time_part(number)
            parts.add_time_part(0)
        else:
            parts.add_time_part(number)
            scanner.skip(".")
    elif scanner.skip(".") and parts.expects_time(number):
        parts.add_time_part(number)
        if scanner.peek().kind != "number":
            raise Refused
        parts.finish_time(milliseconds(scanner.next()))
    elif parts.expects_zone_minute(number):
        parts.zone_minute = number
    elif parts.expects_time(number):
        parts.finish_time(number)
        after = scanner.peek()
        if not (after.kind in {"end", "space"} or after.is_word("z") or after.is_sign()):
            raise Refused
    else:
        parts.add_day_part(number)
        scanner.skip("-")


def _place_word(token: Token, scanner: Scanner, parts: DateParts, *, number_seen: bool) -> None:
    """Take a word for AM or PM, a month or a zone; other words may only stand before numbers."""
    if (offset := token.half_day_hours()) is not None and parts.has_time():
        parts.half_day_hours = offset
    elif (month := token.month()) is not None:
        parts.month = month
        scanner.skip("-")
    elif (zone := token.zone_hours()) is not None and number_seen:
        parts.set_zone(zone)
    elif number_seen or scanner.peek().kind == "number":
        raise Refused


def _place_offset(sign: int, scanner: Scanner, parts: DateParts) -> None:
    """Read what follows a sign after a time: h, hh, hmm, hhmm, or hours before a colon."""
    parts.zone_sign = sign
    number, length = 0, 0
    if scanner.peek().kind == "number":
        token = scanner.next()
        number, length = token.number, len(token.text)
    if scanner.peek().text == ":":
        parts.zone_hour, parts.zone_minute = number, None
    elif length in {1, 2}:
        parts.zone_hour, parts.zone_minute = number, 0
    elif length in {3, 4}:
        parts.zone_hour, parts.zone_minute = divmod(number, 100)
    else:
        raise Refused
