"""JSON text as JavaScript reads and writes it: what is so already, and what has to be made so."""

import re
from collections.abc import Callable, Iterable
from typing import Final

import polars as pl

from neotoma_core.neotoma.json import MAX_DEPTH, NotJson, parse_json, stringify

_NUMBER: Final = (
    r"[:,\[]\s*(?:-0\s*[,}\]]|-?(?:[\d.]{16}|\d+\.\d*0\s*[,}\]]|0\.000000|[\d.]+[eE][+-]?\d))"
)
_NOT_JAVASCRIPT: Final = r",\s*[}\]]|(?i:nan|inf|infinity)\s*[,}\]]"
_ESCAPE: Final = r"\\u(?:00[01]|[dD][89a-fA-F])"
_SUSPECT: Final = f"{_NUMBER}|{_NOT_JAVASCRIPT}|{_ESCAPE}"
_INDENTED_OBJECT: Final = r"^[ \t\r\n]+\{"
_INFINITE: Final = r"[:,\[]\s*-?[\d.]+[eE]\+?\d{3}|\d{300}"
_BEYOND_DUCKDB: Final = re.compile(rf"\\u(?:0000|001f|d[89a-f])|{_INFINITE}")


def needs_javascript(text: pl.Expr) -> pl.Expr:
    """Find texts that may not be JSON objects, or that DuckDB reads or writes unlike JavaScript.

    All of them are found, and a few harmless ones: a number may stand inside a string.
    """
    is_long = text.str.len_bytes() > 2 * MAX_DEPTH
    is_deep = pl.when(is_long).then(text).str.count_matches(r"[\[{]") > MAX_DEPTH
    is_other = ~text.str.starts_with("{")  # few, so the rest costs little
    is_no_object = is_other & ~pl.when(is_other).then(text).str.contains(_INDENTED_OBJECT)
    is_suspect = text.str.contains(f"{_SUSPECT}|{_INFINITE}") | is_no_object
    return is_suspect.fill_null(value=True) | is_deep.fill_null(value=False)


def judge(texts: Iterable[str | None]) -> pl.DataFrame:
    """Read texts that should be JSON objects as JavaScript would.

    Returns:
        (text, canonical, beyond, reason), one row per distinct text: its canonical form, and
        whether taking that apart would lose something; or else why it is not an object.
    """
    verdicts = [(text, *_verdict(text)) for text in dict.fromkeys(texts)]
    schema = {
        "text": pl.String,
        "canonical": pl.String,
        "beyond": pl.Boolean,
        "reason": pl.String,
    }
    return pl.DataFrame(verdicts, schema=schema, orient="row")


def _verdict(text: str | None) -> tuple[str | None, bool, str | None]:
    if text is None:
        return None, False, "is NULL"
    try:
        value = parse_json(text)
    except NotJson:
        return None, False, "is not JSON"
    if not isinstance(value, dict):
        return None, False, "is not a JSON object"
    written = stringify(value)
    return written, _BEYOND_DUCKDB.search(f"{text}{written}") is not None, None


def canonical(texts: pl.Series) -> pl.Series:
    """Return JSON texts as JavaScript's ``JSON.stringify`` writes their values."""
    return map_texts(texts, lambda text: stringify(parse_json(text)))


def holds_object(value: pl.Expr) -> pl.Expr:
    """Tell JSON values that hold an object, whose keys may be doubled or out of order."""
    is_container = value.str.starts_with("{") | value.str.starts_with("[")
    return is_container & pl.when(is_container).then(value).str.contains('{"', literal=True)


def map_texts(texts: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """Return ``function`` of each text, called once per distinct text; null stays null."""
    distinct = texts.drop_nulls().unique()
    results = pl.Series([function(text) for text in distinct], dtype=pl.String)
    return texts.replace_strict(distinct, results, default=None, return_dtype=pl.String)
