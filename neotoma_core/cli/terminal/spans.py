"""Spans of time as options take them."""

from datetime import timedelta

from neotoma_core.documents.spans import span_in
from neotoma_core.errors import UsageError


def span_of(text: str | None, option: str) -> timedelta | None:
    """Return the span a text means, None where there is none; raises UsageError."""
    span = span_in(text) if text is not None else None
    if text is not None and span is None:
        raise UsageError(f"{option} {text}: not a span of time; write 30d, 24h or 10m")
    return span
