"""Stores that let nobody delete, or stop after some deletions."""

from dataclasses import dataclass
from typing import Any

from neotoma_core.errors import RemoteDenied, RemoteUnreachable
from neotoma_core.stores.store import Store


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
