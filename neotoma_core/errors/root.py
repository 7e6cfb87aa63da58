"""The root of the tree: what all errors have in common."""

from typing import Any, ClassVar


class MiddenError(Exception):
    """The base of every error below."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling: constructors take facts, and unpickling would pass them a message."""
        return _revive, (type(self), self.args), self.__dict__


def _revive(kind: type[MiddenError], arguments: tuple[object, ...]) -> MiddenError:
    error = kind.__new__(kind)
    error.args = arguments
    return error
