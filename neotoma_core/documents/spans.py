"""Spans of time as users write them: ``30d``, ``24h``, ``10m``. Pure."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span_in(text: str) -> timedelta | None:
    """Return the span a text means; None where it is not one."""
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text, re.ASCII)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
