"""Long answers, page by page."""

from dataclasses import dataclass
from typing import Final

from neotoma_core.agents.refusals import Refused

_MOST: Final = 50
_LONGEST: Final = 9


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is asked for: behind a ``cursor``, of ``limit`` items."""

    cursor: str = ""
    limit: int = 10

    def of(self, total: int) -> tuple[int, int, str | None]:
        """Return where the page begins and ends, and the next cursor; raises Refused."""
        text = self.cursor
        if text and not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
            raise Refused("CURSOR_UNKNOWN", "that is not a cursor of this tool", "leave cursor out")
        start = min(int(text or 0), total)
        stop = min(total, start + max(1, min(self.limit, _MOST)))
        return start, stop, str(stop) if stop < total else None
