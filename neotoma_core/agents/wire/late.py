"""What takes long to load, loaded when it is first needed."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

_PACKAGE: Final = "neotoma_core.agents"


def load(module: str) -> Any:  # noqa: ANN401 - a module
    """Return a module of this package; it is loaded if it is not yet."""
    return import_module(f"{_PACKAGE}.{module}")


class Late:
    """A value that is made when it is first asked for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: list[Any] = []

    @property
    def value(self) -> Any:  # noqa: ANN401 - of a module that is loaded late
        """The value."""
        if not self._made:
            self._made.append(self._make())
        return self._made[0]
