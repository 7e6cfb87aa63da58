"""Names of fields, which may be any JSON string, as text and as names of columns."""

import re
from typing import Final

_LONE: Final = re.compile("[\ud800-\udfff]")
_NOT_IN_A_COLUMN: Final = "\x00"  # Arrow passes the names of columns as C strings


def field_text(name: str) -> str:
    """Return a field's name as text: lone halves of emoji, which UTF-8 lacks, spelled as in JSON.

    Two fields that this makes one are one in an export, so that what hides either hides both.
    """
    return _LONE.sub(_spell, name)


def column_title(name: str, taken: set[str]) -> str:
    """Return a column's name for a field's text that no other column has; it becomes taken.

    Case does not count: to SQL it makes no difference.
    """
    title = name.replace(_NOT_IN_A_COLUMN, "\\u0000") or "_"
    while title.lower() in taken:
        title += "_"
    taken.add(title.lower())
    return title


def _spell(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
