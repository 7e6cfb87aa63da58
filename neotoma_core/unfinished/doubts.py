"""When something unfinished is not named: it may still be running, or was erased in part."""

from dataclasses import dataclass
from typing import Final, Literal

from neotoma_core.neotoma.json import instant_ms

SETTLING_MS: Final = 60_000
"""So close to the moment of reading, a store may still be running."""

Doubt = Literal["recent", "erased"]


@dataclass(frozen=True, slots=True)
class Doubts:
    """The moments that cast doubt, in UTC milliseconds.

    ``now``: when the database was read. ``erased``: the last erasure that this database's vault
    knows of; what is older may lack observations because they were erased. ``busy_since``: when the
    oldest store that may still be running began.
    """

    now: int
    erased: int | None = None
    busy_since: int | None = None

    def of(self, *written: str | None) -> Doubt | None:
        """Return what is doubtful about something with these times, as Neotoma writes them.

        The first is when it was created. What has no readable time is as old as can be.
        """
        moments = [instant_ms(text) if text else None for text in written]
        created = moments[0] if moments else None
        if self.erased is not None and (created is None or created <= self.erased):
            return "erased"
        known = [moment for moment in moments if moment is not None]
        if any(abs(self.now - moment) < SETTLING_MS for moment in known):
            return "recent"
        busy = self.busy_since
        return "recent" if busy is not None and any(moment >= busy for moment in known) else None
