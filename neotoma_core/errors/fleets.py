"""What works on many databases at once, and cannot be used or was lost."""

from collections.abc import Sequence
from typing import Final

from neotoma_core.errors.root import MiddenError

_NAMED: Final = 5


class FleetError(MiddenError):
    """Something about the work on many databases; itself: some of them need somebody.

    ``names``: theirs, those that failed worst first.
    """

    exit_code = 44

    def __init__(self, names: Sequence[str], total: int) -> None:
        self.names = tuple(names)
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        super().__init__(
            f"{len(names):,} of {total:,} databases need somebody: {', '.join(names[:_NAMED])}"
            f"{more}; the table of the run says why"
        )


class ProcessLost(FleetError):
    """The process that worked on a database ended before it was done."""

    exit_code = 45

    def __init__(self, name: str, how: str) -> None:
        self.name = name
        MiddenError.__init__(
            self,
            f"{name}: the process that worked on it {how}; what it had begun is cleaned up by the "
            "next run; run again, and see whether memory ran out",
        )
