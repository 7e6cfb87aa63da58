"""Our JSON documents: reports, manifests, what a vault says of itself."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from neotoma_core.neotoma.json import JsonValue, parse_json, stringify


def document(value: object) -> bytes:
    r"""Return plain data, dataclasses and times included, as a JSON document.

    Paths are in it as Python has them: a byte that is not UTF-8 is the lone surrogate U+DC80 to
    U+DCFF, which JSON spells as ``\udcff``, so that ``os.fsencode`` gives the path back.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return stringify(_plain(value)).encode()


def document_of(raw: bytes) -> JsonValue:
    """Return what a JSON document says; raises ValueError, which does not quote it."""
    try:
        value: JsonValue = orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass  # raised again outside the handler: the error holds the document
    else:
        return value
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""
    return parse_json(text)


def _plain(value: Any) -> JsonValue:  # noqa: ANN401 - whatever a document holds
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
