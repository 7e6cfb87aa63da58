"""Why a recovery uses just these copies. Its field names are keys of ``--json`` and stay."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UsedCopy:
    """A copy that is used. ``adds``: observations neither the target nor a copy before has.

    ``loses``: observations, and ``further`` rows of other tables, that nobody would bring without
    it. ``salvaged``: by which means, where it is damaged; ``advice``: what could bring back more.
    """

    path: str
    adds: int
    loses: int
    further: int
    salvaged: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class UnusedCopy:
    """A copy that is not used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class CompositionReport:
    """What a search for copies led to.

    ``searched``: the paths looked below; ``files`` seen there; ``copies`` found. ``unreadable``:
    folders and files that could not be read. ``further``: the command that searches the rest of the
    home folder, too; null where somebody said where to look.
    """

    searched: tuple[str, ...]
    files: int
    copies: int
    used: tuple[UsedCopy, ...]
    unused: tuple[UnusedCopy, ...]
    unreadable: tuple[str, ...]
    further: str | None = None
