"""Our documents, validated against their models. Pure.

What lies in a vault or an archive comes from outside: it may have been written by another program,
or by somebody who means ill. So every field is what its model says before anything is done with it.
"""

import dataclasses
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from neotoma_core.neotoma.json import SAFE_INTEGER

T = TypeVar("T")

_LONGEST_NAME: Final = 255
_LONGEST_PATH: Final = 4096
_CENTURY: Final = 100 * 366 * 86_400
_BEYOND_TEXT: Final = "\0/"
_HEX: Final = re.compile("[0-9a-f]*")
_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")
FileName = Annotated[str, "the name of a file"]
"""The name of a file in a folder that is known, which leads nowhere else."""
InnerPath = Annotated[str, "a path that stays in its folder"]
"""Where a file is below a folder that is known: called anything, and leading nowhere else."""
PathText = Annotated[str, "a path"]
"""Where something is on a disk, called anything."""
Word = Annotated[str, "a short text that can be printed"]
HexDigits = Annotated[str, "hex digits"]
Digits = Annotated[str, "a whole number as text"]
Last = Annotated[int, "a whole number from -1 on"]
"""The number of the last of something; -1 where there is none yet."""
Seconds = Annotated[int, "seconds of a span, up to a century"]


class NotAsModelled(ValueError):
    """A document that is not what its model says. Names the field, never its value."""

    def __init__(self, field: str, wanted: str) -> None:
        self.field = field
        super().__init__(f"{field or 'it'} is not {wanted}")


def is_newer(version: object, known: int) -> bool:
    """Return whether a document says that a later midden wrote it, which knows another format."""
    return type(version) is int and version > known


def read_model(model: type[T], value: object, field: str = "") -> T:
    """Return a value of plain JSON as an instance of a dataclass.

    Numbers are neither negative nor beyond what JSON can hold exactly; there are no other fields
    than the model's, and those without a default are there. Raises NotAsModelled.
    """
    if not isinstance(value, dict):
        raise NotAsModelled(field, "a document")
    hints = typing.get_type_hints(model, include_extras=True)
    facts = {fact.name: fact for fact in dataclasses.fields(model)}  # type: ignore[arg-type]
    if value.keys() - facts.keys():
        raise NotAsModelled(field, "without unknown fields")
    given = {
        name: read(hints[name], value[name], f"{field}.{name}".lstrip("."))
        for name in facts
        if name in value
    }
    for name, fact in facts.items():
        unset = fact.default is dataclasses.MISSING and fact.default_factory is dataclasses.MISSING
        if unset and name not in given:
            raise NotAsModelled(f"{field}.{name}".lstrip("."), "there")
    return model(**given)


def read(kind: Any, value: Any, field: str) -> Any:  # noqa: ANN401 - whatever a model has
    """Return a value of plain JSON as what a type says; raises NotAsModelled."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        return _conform(arguments[1], value, field)
    if origin in (typing.Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        return None if value is None else read(inner, value, field)
    if origin in (Literal, tuple, Mapping):
        by_origin = {Literal: _one_of, tuple: _items, Mapping: _members}
        return by_origin[origin](arguments, value, field)
    if dataclasses.is_dataclass(kind):
        return read_model(kind, value, field)  # type: ignore[arg-type]  # a class, as a model has
    return _plain(kind, value, field)


def _items(kinds: tuple[Any, ...], value: object, field: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise NotAsModelled(field, "a list")
    wanted = [kinds[0]] * len(value) if kinds[-1] is ... else kinds
    if len(wanted) != len(value):
        raise NotAsModelled(field, f"a list of {len(wanted)}")
    return tuple(read(kind, one, f"{field}[]") for kind, one in zip(wanted, value, strict=True))


def _members(kinds: tuple[Any, ...], value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotAsModelled(field, "a document")
    return {
        read(kinds[0], name, f"{field}[]"): read(kinds[1], one, f"{field}[]")
        for name, one in value.items()
    }


def _one_of(allowed: tuple[Any, ...], value: object, field: str) -> str | bool:
    if isinstance(value, str | bool) and value in allowed:
        return value
    raise NotAsModelled(field, f"one of {', '.join(map(str, allowed))}")


def _plain(kind: Any, value: Any, field: str) -> Any:  # noqa: ANN401 - as above
    if kind is datetime:
        return _moment(value, field)
    if kind is int:
        if type(value) is int and 0 <= value <= SAFE_INTEGER:
            return value
        raise NotAsModelled(field, "a whole number that counts something")
    if kind is float:
        if type(value) in (int, float) and math.isfinite(value) and value >= 0:
            return float(value)
        raise NotAsModelled(field, "a number from 0 on")
    if type(value) is kind:
        return value
    raise NotAsModelled(field, "a text" if kind is str else f"a {kind.__name__}")


def _moment(value: object, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise NotAsModelled(field, "a moment with its zone")
    return moment


def _conform(wanted: str, value: object, field: str) -> Any:  # noqa: ANN401 - text or a number
    """Return a value that keeps to what its kind is called."""
    if _RULES[wanted](value):
        return value
    raise NotAsModelled(field, wanted)


def _is_file_name(value: object) -> bool:
    plain = isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()
    return plain and value not in (".", "..") and not set(str(value)) & set(_BEYOND_TEXT)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_PATH and "\0" not in value


def _is_inner_path(value: object) -> bool:
    return _is_path(value) and not {"", ".", ".."} & set(str(value).split("/"))


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _is_last(value: object) -> bool:
    return type(value) is int and -1 <= value <= SAFE_INTEGER


_RULES: Final[Mapping[str, Callable[[object], bool]]] = {
    "the name of a file": _is_file_name,
    "a path that stays in its folder": _is_inner_path,
    "a path": _is_path,
    "a short text that can be printed": _is_word,
    "hex digits": lambda value: isinstance(value, str) and bool(_HEX.fullmatch(value)),
    "a whole number as text": lambda value: (
        isinstance(value, str) and bool(_DIGITS.fullmatch(value))
    ),
    "a whole number from -1 on": _is_last,
    "seconds of a span, up to a century": lambda value: (
        type(value) is int and 0 < value <= _CENTURY
    ),
}
