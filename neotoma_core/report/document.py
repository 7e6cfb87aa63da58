"""A report as one JSON document."""

import orjson


def document(report: object) -> str:
    """Return a report, a dataclass of plain data, as JSON; its field names are the keys."""
    return orjson.dumps(report).decode()
