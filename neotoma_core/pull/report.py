"""The report of ``midden pull``: a recovery from what others pushed, and what they erased.

Its field names are the keys of ``--json`` and stay.
"""

from dataclasses import dataclass

from neotoma_core.erasure.report import ErasureReport
from neotoma_core.recovery.report import RecoveryReport
from neotoma_core.report.document import document


@dataclass(frozen=True, slots=True)
class PullReport:
    """One pull. ``writers``: whose logs it read.

    ``recovery``: None where only this machine has pushed; ``erasure``: None where nothing of what
    others erased is in the target.
    """

    remote: str
    writers: tuple[str, ...]
    recovery: RecoveryReport | None
    erasure: ErasureReport | None

    @property
    def outcome(self) -> str:
        """What was done: of the recovery; ``unchanged`` where there was nothing to pull."""
        return self.recovery.outcome if self.recovery else "unchanged"

    def to_json(self) -> str:
        """Return the report as one JSON document."""
        return document(self)
