"""Times as users write them: a day, or a day and a time, in UTC unless an offset is written.

The local zone of the machine counts for nothing: the log has UTC, and a command means the same on
every machine and on the day the clocks change.
"""

import calendar
import re
from datetime import date
from typing import Final

from neotoma_core.errors import UsageError

AS_USERS_WRITE: Final = (
    "a day, like 2026-03-01 (its start, UTC), or a time, like 2026-03-01T12:00:00Z or "
    "2026-03-01T13:00+01:00 (UTC where no offset is written)"
)
_FORM: Final = re.compile(
    r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<zone_hour>\d\d):?(?P<zone_minute>\d\d))?)?",
    re.ASCII,
)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY_MS: Final = 86_400_000
_LAST_MONTH: Final = 12
_MIDNIGHT: Final = 24
_FARTHEST_ZONE: Final = 14 * 60  # minutes from UTC
_SIXTY: Final = 60


def read_asked_instant(option: str, text: str | None) -> int | None:
    """Return the instant a user means, in UTC milliseconds; None for no time.

    Digits below the millisecond are cut off, as in the log. Raises UsageError, which names the
    option and what is wrong.
    """
    if text is None:
        return None
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{option} {text}: not a time; write {AS_USERS_WRITE}")
    given = {name: part for name, part in found.groupdict().items() if part is not None}
    wrong = _wrong_day(given) or _wrong_time(given)
    if wrong:
        raise UsageError(f"{option} {text}: {wrong}; write {AS_USERS_WRITE}")
    day = date(int(given["year"]), int(given["month"]), int(given["day"])).toordinal() - _EPOCH
    return day * _DAY_MS + _time_ms(given) - _zone_ms(given)


def read_asked_time(option: str, text: str | None) -> str | None:
    """Return the time a user means as the log has times, to be printed back: in UTC, with ``Z``.

    Raises UsageError.
    """
    instant = read_asked_instant(option, text)
    if instant is None:
        return None
    days, rest = divmod(instant, _DAY_MS)
    try:
        day = date.fromordinal(days + _EPOCH)
    except ValueError:  # the offset, or 24:00, leads out of the years 1 to 9999
        day = None
    if day is None:
        raise UsageError(f"{option} {text}: in UTC, not in the years 0001 to 9999")
    seconds, milliseconds = divmod(rest, 1000)
    minutes, second = divmod(seconds, _SIXTY)
    hour, minute = divmod(minutes, _SIXTY)
    return f"{day.isoformat()}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"


def _wrong_day(given: dict[str, str]) -> str:
    year, month, day = (int(given[name]) for name in ("year", "month", "day"))
    if not year:
        return "there is no year 0000"
    if not 1 <= month <= _LAST_MONTH:
        return f"there is no month {given['month']}"
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        return f"the last day of that month is {given['year']}-{given['month']}-{last:02}"
    return ""


def _wrong_time(given: dict[str, str]) -> str:
    hour, minute, second = (int(given.get(name, "0")) for name in ("hour", "minute", "second"))
    if second == _SIXTY and minute < _SIXTY:
        return "leap seconds are not counted in the log; write second 59"
    if hour == _MIDNIGHT and not minute and not second and not given.get("fraction", "").strip("0"):
        return ""
    if hour >= _MIDNIGHT or minute >= _SIXTY or second >= _SIXTY:
        return "the last time of a day is 23:59:59.999, and 24:00 the start of the next"
    return _wrong_zone(given)


def _wrong_zone(given: dict[str, str]) -> str:
    if int(given.get("zone_minute", "0")) >= _SIXTY:
        return "the minutes of an offset are less than 60"
    return "no offset is beyond 14:00" if abs(_zone_ms(given)) > _FARTHEST_ZONE * 60_000 else ""


def _time_ms(given: dict[str, str]) -> int:
    hour, minute, second = (int(given.get(name, "0")) for name in ("hour", "minute", "second"))
    milliseconds = int(given.get("fraction", "0")[:3].ljust(3, "0"))
    return ((hour * _SIXTY + minute) * _SIXTY + second) * 1000 + milliseconds


def _zone_ms(given: dict[str, str]) -> int:
    hours, minutes = int(given.get("zone_hour", "0")), int(given.get("zone_minute", "0"))
    offset = (hours * _SIXTY + minutes) * _SIXTY * 1000
    return -offset if given.get("sign") == "-" else offset
