"""A report as one JSON document."""

import dataclasses
from typing import Any

import orjson


def document(report: object) -> str:
    """Return a report, a dataclass of plain data, as JSON; its field names are the keys.

    A path whose bytes are no text has them spelled out.
    """
    try:
        return orjson.dumps(report).decode()
    except orjson.JSONEncodeError:
        assert dataclasses.is_dataclass(report)  # noqa: S101 - as every report is
        assert not isinstance(report, type)  # noqa: S101 - a report, not a kind of report
        return orjson.dumps(_as_text(dataclasses.asdict(report))).decode()


def _as_text(value: Any) -> Any:  # noqa: ANN401 - whatever a report holds
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {_as_text(key): _as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_text(item) for item in value]
    return value
