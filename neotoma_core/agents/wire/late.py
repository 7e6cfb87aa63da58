"""What takes long to load, loaded when it is first needed."""

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_PACKAGE: Final = "neotoma_core.agents"


def load(module: str) -> ModuleType:
    """Return a module of this package; it is loaded if it is not yet."""
    return import_module(f"{_PACKAGE}.{module}")


class Late(Generic[T]):
    """A value that is made when it is first asked for."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []

    @property
    def value(self) -> T:
        """The value."""
        if not self._made:
            self._made.append(self._make())
        return self._made[0]
