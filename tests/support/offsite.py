"""Stores that let nobody delete, or stop after some deletions; and one with a clock of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from neotoma_core.errors import RemoteDenied, RemoteUnreachable
from neotoma_core.stores.store import Content, Store, StoredObject, Told, untold
from neotoma_core.stores.wrapped import Wrapped
from tests.conftest import NOW


@dataclass
class Refusing:
    """A store that refuses to delete, once so many objects were deleted."""

    within: Store
    allowed: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.within, name)

    def delete(self, name: str) -> None:
        """Refuse, as credentials that only create do."""
        if not self.allowed:
            raise RemoteDenied(self.within.url, "access was denied (403)", "check the credentials")
        self.allowed -= 1
        self.within.delete(name)


class Unreachable:
    """A store that does not answer, whatever it is asked."""

    def __getattr__(self, name: str) -> Any:
        raise RemoteUnreachable("memory", f"it was asked to {name}")


class Clocked(Wrapped):
    """A store whose clock is ``now``; before an entry is made, ``before_entry`` is called once."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.now = NOW
        self.before_entry: Callable[[], object] | None = None
        self._made: dict[str, datetime] = {}

    def create(self, name: str, content: Content, told: Told = untold) -> bool:
        """Create an object, now."""
        if name.startswith("log/") and self.before_entry is not None:
            act, self.before_entry = self.before_entry, None
            act()
        made = super().create(name, content, told)
        if made:
            self._made[name] = self.now
        return made

    def list(self, prefix: str = "", after: str = "") -> Iterator[StoredObject]:
        """Yield objects by name, each with when it was made."""
        for one in super().list(prefix, after):
            yield replace(one, modified=self._made.get(one.name, NOW))

    def later(self, **time: float) -> None:
        """Let time pass."""
        self.now += timedelta(**time)
