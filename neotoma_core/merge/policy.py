"""What decides between two rows that share a key."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from neotoma_core.neotoma.frames import TARGET

MergeMode = Literal["safe", "keep-target", "keep-source"]
ReingestedMode = Literal["by-mode", "keep-earliest"]


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """What a user chooses between versions of a row.

    ``mode`` is for rows in conflict, ``reingested`` for rows that were merely sent again;
    ``ancestors``: a difference that one side made since a common ancestor is not a conflict.

    Safe mode merges as keep-target does and is refused by the caller where conflicts were found.
    """

    mode: MergeMode = "keep-target"
    reingested: ReingestedMode = "by-mode"
    ancestors: bool = True

    def precedence(self, origins: Iterable[int]) -> tuple[int, ...]:
        """Return the origins of databases, the one whose rows win over all others' first."""
        backups = tuple(sorted(origin for origin in origins if origin != TARGET))
        return (*backups, TARGET) if self.mode == "keep-source" else (TARGET, *backups)
