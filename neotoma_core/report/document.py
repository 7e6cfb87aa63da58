"""A report as one JSON document."""

from neotoma_core.documents import document as documents


def document(report: object) -> str:
    """Return a report, a dataclass of plain data, as JSON; its field names are the keys."""
    return documents.document(report).decode()
