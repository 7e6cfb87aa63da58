"""Which databases and folders an agent may touch: those named at the start, links followed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from neotoma_core.agents.refusals import Refused

if TYPE_CHECKING:
    from neotoma_core.files.keys import KeySource


@dataclass(frozen=True, slots=True)
class Protected:
    """A database that was named, and the folder of its vault. ``raw_storage``: of its raw files."""

    path: Path
    vault: Path
    raw_storage: Path | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What the person who started the server allowed.

    ``folders``: where copies may be; without any, those the databases are in. ``recover``: plans
    may be carried out. ``values``: stored values may be shown. ``approve``: a plan always needs
    ``midden approve``. ``environment``: what NEOTOMA_ENV says. ``clock``: the time.
    """

    targets: tuple[Protected, ...]
    clock: Callable[[], datetime]
    folders: tuple[Path, ...] = ()
    recover: bool = False
    values: bool = False
    approve: bool = False
    key: "KeySource | None" = None
    environment: str | None = None

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders in which copies are looked for, links followed."""
        named = self.folders or tuple(t.path.parent for t in self.targets)
        return tuple(dict.fromkeys(place.resolve() for place in named))

    @property
    def shown_in_full(self) -> tuple[Path, ...]:
        """The folders that a person named, and the vaults."""
        vaults = (target.vault.resolve() for target in self.targets)
        return tuple(dict.fromkeys((*self.places, *vaults)))

    def target(self, words: str) -> Protected:
        """Return the database that an agent names; nothing is the only one. Raises Refused."""
        if not words:
            if len(self.targets) == 1:
                return self.targets[0]
            raise Refused("TARGET_NEEDED", "several databases are protected; name one as target")
        asked = resolve(words)
        for target in self.targets:
            if target.path.resolve() == asked:
                return target
        raise Refused(
            "OUT_OF_SCOPE",
            "this server may not touch that database; get_status lists those it may",
        )

    def place(self, words: str) -> Path:
        """Return a file or folder within the folders, links followed. Raises Refused."""
        from neotoma_core.runs.named_backups import (  # noqa: PLC0415 - takes long to load
            split_member,
        )

        file, member = split_member(Path(words))
        asked = resolve(str(file))
        if not any(asked.is_relative_to(place) for place in self.places):
            raise Refused(
                "OUT_OF_SCOPE",
                "this server may not touch that path; find_copies lists the copies it may use",
            )
        if not asked.exists():
            raise Refused("NOT_FOUND", "there is no such file or folder; call find_copies")
        return Path(f"{asked}!{member}") if member else asked


def resolve(words: str) -> Path:
    """Return the place a path leads to, links followed; raises Refused for an invalid one."""
    try:
        path = Path(words)
        if not path.is_absolute():
            raise Refused("OUT_OF_SCOPE", "give an absolute path, as another tool showed it")
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        raise Refused("OUT_OF_SCOPE", "that is not a path") from None
