"""Values of the wrong type made right, as a schema's converters do it.

Upstream: field_validation.ts and field_converters.ts. Values are JSON as ``canonical`` reads it.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from neotoma_core.neotoma.json import SAFE_INTEGER, JsonValue, javascript_trim, number_text
from neotoma_core.neotoma.schemas import FieldRule

_END_OF_RANGE_MS: Final = 4_102_444_800_000
"""2100-01-01, the last instant a number may stand for; the first is the epoch."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FLOAT_PREFIX: Final = re.compile(
    r"[-+]?(?:Infinity|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
)
_TRUE_WORDS: Final = frozenset({"true", "1", "yes"})
_FALSE_WORDS: Final = frozenset({"false", "0", "no"})


def convert(value: JsonValue, rule: FieldRule) -> JsonValue:
    """Return the value in its field's type: as it is, converted, or as it is after all.

    The converters of the field are tried in order; each must start from the value's type, and
    one counts only if what it returns matches the field's type. Names of converters that Neotoma
    does not have are passed over.
    """
    if matches_type(value, rule.type):
        return value
    value_type = type_name(value)
    for converter in rule.converters:
        if converter.source_type == value_type:
            converted = _convert(value, converter.function)
            if matches_type(converted, rule.type):
                return converted
    return value


def matches_type(value: JsonValue, field_type: str) -> bool:
    """Tell whether a value is of a field type; any string is a date, null is of no type."""
    return (
        type_name(value) == ("string" if field_type == "date" else field_type) and value is not None
    )


def type_name(value: JsonValue) -> str:
    """Return JavaScript's name for the type of a JSON value, with arrays and null told apart."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _convert(value: JsonValue, function: str) -> JsonValue:
    """Return what a converter makes of a value; None where it has nothing to do with its type."""
    if isinstance(value, bool):
        return ("true" if value else "false") if function == "boolean_to_string" else None
    if isinstance(value, str):
        from_string = _FROM_STRING.get(function)
        return from_string(value) if from_string else None
    if isinstance(value, int | float):
        from_number = _FROM_NUMBER.get(function)
        return from_number(value) if from_number else None
    return None


def _string_to_number(text: str) -> float | None:
    """Read the number a string begins with, as parseFloat does: decimal, a comma ends it."""
    found = _FLOAT_PREFIX.match(javascript_trim(text))
    if found is None:
        return None
    number = float(found[0])
    return int(number) if number.is_integer() and abs(number) <= SAFE_INTEGER else number


def _string_to_boolean(text: str) -> bool | None:
    word = javascript_trim(text.lower())
    if word in _TRUE_WORDS:
        return True
    return False if word in _FALSE_WORDS else None


def _nanoseconds_to_iso(nanoseconds: float) -> str | None:
    """Read whole nanoseconds; BigInt division cuts off what is below a millisecond."""
    if not math.isfinite(nanoseconds) or nanoseconds != int(nanoseconds):
        return None
    milliseconds = abs(int(nanoseconds)) // 1_000_000
    return _milliseconds_to_iso(-milliseconds if nanoseconds < 0 else milliseconds)


def _seconds_to_iso(seconds: float) -> str | None:
    return _milliseconds_to_iso(seconds * 1000.0)


def _milliseconds_to_iso(milliseconds: float) -> str | None:
    """Return date and time of an instant from the epoch to the end of the range, inclusive."""
    if not 0 <= milliseconds <= _END_OF_RANGE_MS:
        return None
    instant = _EPOCH + timedelta(milliseconds=math.floor(milliseconds))
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FROM_STRING: Final[Mapping[str, Callable[[str], JsonValue]]] = {
    "string_to_number": _string_to_number,
    "string_to_boolean": _string_to_boolean,
}
_FROM_NUMBER: Final[Mapping[str, Callable[[float], JsonValue]]] = {
    "number_to_string": number_text,
    "timestamp_nanos_to_iso": _nanoseconds_to_iso,
    "timestamp_ms_to_iso": _milliseconds_to_iso,
    "timestamp_s_to_iso": _seconds_to_iso,
}

CONVERTERS: Final = frozenset({"boolean_to_string", *_FROM_STRING, *_FROM_NUMBER})
"""The names of the converters that Neotoma has."""
