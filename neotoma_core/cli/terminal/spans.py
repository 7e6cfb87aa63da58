"""Spans of time as users write them: ``30d``, ``24h``, ``10m``."""

import re
from datetime import timedelta
from typing import Final

from neotoma_core.errors import UsageError

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span_of(text: str | None, option: str) -> timedelta | None:
    """Return the span a text means, None where there is none; raises UsageError."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text, re.ASCII)
    if found is None:
        raise UsageError(f"{option} {text}: not a span of time; write 30d, 24h or 10m")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
