"""What decides between two rows that share a key."""

from dataclasses import dataclass
from typing import Literal

MergeMode = Literal["safe", "keep-target", "keep-source"]
ReingestedMode = Literal["by-mode", "keep-earliest"]


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """``mode`` for rows in conflict; ``reingested`` for rows that were merely sent again.

    Safe mode merges as keep-target does and is refused by the caller where conflicts were found.
    """

    mode: MergeMode = "keep-target"
    reingested: ReingestedMode = "by-mode"
