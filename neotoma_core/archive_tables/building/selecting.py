"""Which rows of an archive a database is built of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Which = Literal["everything", "standing"]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of an archive: everything it ever had, or what stood in the database.

    The one in its last version, the other at the last run or as of a ``moment``. ``damaged``: go on
    without files that cannot be read.
    """

    which: Which = "standing"
    moment: datetime | None = None
    damaged: bool = False
