"""Our JSON documents: a path comes back byte for byte, from older ones, too."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import pytest

from neotoma_core.documents.document import document, document_of
from tests.support.nasty_names import ALL_BYTES, ALL_TEXT, NAMES


@dataclass(frozen=True)
class Note:
    """A report with a path, a time, another and numbers."""

    path: str
    at: datetime
    inside: tuple["Note", ...] = ()
    sizes: dict[str, float] | None = None


AT = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)


def test_every_name_comes_back_and_any_reader_of_json_gets_it() -> None:
    names = [*NAMES.values(), ALL_TEXT, ALL_BYTES]
    written = document({"paths": names})
    read = document_of(written)
    assert read == {"paths": names}
    assert json.loads(written) == read
    assert [os.fsencode(name) for name in json.loads(written)["paths"]] == list(
        map(os.fsencode, names)
    )


def test_a_path_that_is_not_utf_8_changes_nothing_else_of_a_document() -> None:
    inner = Note("b", AT, sizes={"a": 0.5, "b": 3})
    plain = orjson.loads(orjson.dumps(Note("a\n", AT, (inner,))))
    odd = document_of(document(Note(ALL_BYTES, AT, (inner,))))
    assert odd == {**plain, "path": ALL_BYTES}


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"a":NaN}', b'"SECRET'])
def test_what_is_no_document_is_refused_without_quoting_it(raw: bytes) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its words are what is looked at
        document_of(raw)
    assert "SECRET" not in str(refused.value)
    assert refused.value.__context__ is None
