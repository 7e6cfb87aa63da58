"""Panics of native libraries: a Rust library that fails in itself raises what is no ``Exception``.

pyo3 gives every library a class of its own, all of them called the same, and its message quotes
what the library was working on.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from neotoma_core.errors.record import what_is_done
from neotoma_core.errors.root import MiddenError

T = TypeVar("T")

_CALLED: Final = "PanicException"


class NativePanic(MiddenError):
    """A library that midden uses failed in itself, often on damaged input."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        super().__init__(
            f"{doing}: a library that midden uses failed in itself; {what_is_done()}; please "
            "report what you did, and the versions of polars, duckdb and deltalake"
        )


def is_panic(error: BaseException) -> bool:
    """Return whether an error is the panic of a native library."""
    return any(kind.__name__ == _CALLED for kind in type(error).__mro__)


def without_panic(doing: str, action: Callable[[], T]) -> T:
    """Return what ``action`` returns; raises NativePanic where a native library panics in it.

    ``doing``: words, no value.
    """
    try:
        return action()
    except BaseException as error:
        if not is_panic(error):
            raise
    # Only here: raised within the block above it would carry the panic along, values and all.
    raise NativePanic(doing)
