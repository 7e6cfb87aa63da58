"""Text as Neotoma reads and writes it: JSON, numbers and blanks by the rules of JavaScript.

Dates are in ``instants.py``, the order of texts in ``collation.py``; both are re-exported here.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

import orjson

from neotoma_core.neotoma.collation import collation_key
from neotoma_core.neotoma.instants import instant_ms

__all__ = [
    "MAX_DEPTH",
    "SAFE_INTEGER",
    "JsonValue",
    "NotJson",
    "collation_key",
    "in_object_order",
    "instant_ms",
    "javascript_trim",
    "number_text",
    "parse_json",
    "stringify",
]

JsonValue: TypeAlias = "bool | float | int | str | list[JsonValue] | dict[str, JsonValue] | None"

SAFE_INTEGER: Final = 2**53
"""Every integer up to here, in either direction, is a double; beyond, some are not."""

MAX_DEPTH: Final = 400
"""Arrays and objects nested deeper are not read. Node has no such limit; Python's stack has."""

_WHITE_SPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_ARRAY_INDEX_END: Final = 2**32 - 1

# What orjson reads differently from JavaScript: a number that may not survive as a double or is
# a whole number in disguise (long, `1.0`, `1e3`, `-0`), and keys that JavaScript moves to the
# front. A string that looks like one of them only costs the slow path. One pattern for each:
# together in one they take four times as long.
_MANY_DIGITS: Final = re.compile(r"[0-9.]{16}")
_WHOLE: Final = re.compile(r"\.0+\s*(?:[,}\]]|$)")
_EXPONENT: Final = re.compile(r"[0-9][eE][-+]?[0-9]+\s*(?:[,}\]]|$)")
_MINUS_ZERO: Final = re.compile(r"-0\s*(?:[,}\]]|$)")
_INDEX_KEY: Final = re.compile(r'"[0-9\\][0-9\\u]*"\s*:')
# What orjson writes differently: `1.0`, `1e16`, `0.00001`, and digits where a double has none.
_DIGITS_WRITTEN: Final = re.compile(rb"[0-9]{16}")
_POINT_WRITTEN: Final = re.compile(rb"\.0(?:[,}\]]|$|000)")
_EXPONENT_WRITTEN: Final = re.compile(rb"[0-9][eE][-+]?[0-9]+(?:[,}\]]|$)")
_ESCAPED: Final = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')
_BRACKET_OR_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_SHORT_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


class NotJson(ValueError):
    """A text that JSON.parse rejects. The message never holds the text."""


def parse_json(text: str) -> JsonValue:
    """Return what JSON.parse reads from a text.

    Numbers are IEEE doubles; a whole number up to ``SAFE_INTEGER`` is an ``int``, and never a
    ``float`` or -0. Of a key given twice, the last value stands at the first place. Keys come in
    the order of ``in_object_order``. Lone surrogates are kept.

    Raises:
        NotJson: The text is not JSON, or nested deeper than ``MAX_DEPTH``.
    """
    _refuse_depth(text)
    if not _needs_care(text):
        try:
            value: JsonValue = orjson.loads(text)
        except orjson.JSONDecodeError:
            pass  # orjson also rejects lone surrogates, which JavaScript reads
        else:
            return value
    return _parse_slowly(text)


def _needs_care(text: str) -> bool:
    """Tell whether orjson might read the text otherwise than JavaScript."""
    return bool(
        _WHOLE.search(text)
        or _MINUS_ZERO.search(text)
        or _INDEX_KEY.search(text)
        or _EXPONENT.search(text)
        or _MANY_DIGITS.search(text)
    )


def _parse_slowly(text: str) -> JsonValue:
    try:
        value: JsonValue = _DECODER.decode(text)
    except ValueError:
        failed = True
    else:
        failed = False
    if failed:  # raised outside the handler: the original error holds the text
        raise NotJson("not JSON")
    return value


def _refuse_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _BRACKET_OR_STRING.finditer(text):
        if token[0] in "[{":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise NotJson(f"nested deeper than {MAX_DEPTH} levels")


def _double(digits: str) -> int | float:
    """Return the double a JSON number denotes; whole ones up to SAFE_INTEGER as int."""
    value = float(digits)
    return int(value) if value.is_integer() and abs(value) <= SAFE_INTEGER else value


def _refuse_constant(_name: str) -> JsonValue:
    raise NotJson("not JSON")


def in_object_order(members: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return members as a JavaScript object enumerates them: indices ascending, then the rest.

    An index is the canonical decimal of an integer below 2**32 - 1 (``7``, not ``07``).
    """
    indices = sorted((key for key in members if _is_array_index(key)), key=int)
    if not indices:
        return dict(members)
    return {key: members[key] for key in indices} | dict(members)


def _is_array_index(key: str) -> bool:
    if not (key.isascii() and key.isdecimal()) or len(key) > len(str(_ARRAY_INDEX_END)):
        return False
    return (key == "0" or key[0] != "0") and int(key) < _ARRAY_INDEX_END


_DECODER: Final = json.JSONDecoder(
    parse_int=_double,
    parse_float=_double,
    parse_constant=_refuse_constant,
    object_pairs_hook=lambda pairs: in_object_order(dict(pairs)),
)


def stringify(value: JsonValue) -> str:
    """Return the compact text JSON.stringify writes; members in the order the dict has them."""
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _stringify_slowly(value)  # lone surrogates, integers beyond 64 bits, depth
    if _differs_from_javascript(written):
        return _stringify_slowly(value)
    return written.decode()


def _differs_from_javascript(written: bytes) -> bool:
    """Tell whether JavaScript might write otherwise what orjson wrote."""
    return bool(
        _POINT_WRITTEN.search(written)
        or _EXPONENT_WRITTEN.search(written)
        or _DIGITS_WRITTEN.search(written)
    )


def _stringify_slowly(value: JsonValue) -> str:
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def _write(value: JsonValue, parts: list[str]) -> None:
    """Append the JSON text of a value; one frame per level of nesting."""
    if isinstance(value, str):
        parts.append(_quote(value))
    elif value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int | float):
        parts.append(number_text(value) if math.isfinite(value) else "null")
    elif isinstance(value, list):
        separator = "["
        for item in value:
            parts.append(separator)
            _write(item, parts)
            separator = ","
        parts.append("]" if value else "[]")
    else:
        separator = "{"
        for key, member in value.items():
            parts += (separator, _quote(key), ":")
            _write(member, parts)
            separator = ","
        parts.append("}" if value else "{}")


def _quote(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    return _SHORT_ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"


_PLAIN_DIGITS: Final = 21  # from 1e21 on, and below 1e-6, Number::toString writes an exponent
_PLAIN_ZEROS: Final = 6


def number_text(x: float) -> str:
    """Return how JavaScript prints a number: the shortest digits that denote the double.

    Upstream: ECMAScript, Number::toString. Whole numbers below 1e21 have no exponent, nor have
    fractions from 1e-6 on.
    """
    if isinstance(x, int) and abs(x) <= SAFE_INTEGER:
        return str(x)
    x = float(x)
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else ("Infinity" if x > 0 else "-Infinity")
    if x == 0:
        return "0"
    return ("-" if x < 0 else "") + _positive_text(abs(x))


def _positive_text(x: float) -> str:
    digits, point = _shortest_digits(x)
    if len(digits) <= point <= _PLAIN_DIGITS:
        return digits.ljust(point, "0")
    if 0 < point <= _PLAIN_DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if -_PLAIN_ZEROS < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"


def _shortest_digits(x: float) -> tuple[str, int]:
    """Return significant digits and where the decimal point stands: x = 0.digits * 10**point."""
    mantissa, _, exponent = repr(x).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading_zeros = len(whole + fraction) - len(digits)
    return digits.rstrip("0"), len(whole) - leading_zeros + int(exponent or "0")


def javascript_trim(text: str) -> str:
    """Return a text without the white space and line ends String.prototype.trim removes."""
    return text.strip(_WHITE_SPACE)
