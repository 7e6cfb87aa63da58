"""A target that cannot be used as it is: a new file is to take its place."""

from dataclasses import dataclass
from pathlib import Path

from neotoma_core.sqlite.copies import CopiedFile


@dataclass(frozen=True, slots=True)
class Ruin:
    """What is left of a target.

    ``state``, ``problem``: what is wrong with it. ``folder``, ``files``: the evidence of it.
    ``base``: where all its rows could be read, a copy with the rest of it made anew, which counts
    as the target. ``means``: how else rows were salvaged, empty where none could be; ``advice``:
    what may salvage more.
    """

    state: str
    problem: str
    folder: Path
    files: tuple[CopiedFile, ...]
    base: Path | None = None
    means: str = ""
    advice: str = ""
