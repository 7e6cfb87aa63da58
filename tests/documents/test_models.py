import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

import pytest

from neotoma_core.comparison.anomaly import Counts
from neotoma_core.comparison.fingerprints import Fingerprint
from neotoma_core.documents.models import FileName, NotAsModelled, read_model
from neotoma_core.documents.stored_file import StoredFile
from neotoma_core.vault.manifests import (
    Acceptance,
    BackupState,
    Drill,
    Manifest,
    RawFiles,
    manifest_of,
    seal_line,
    state_of,
    unseal,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FILE = StoredFile("database.db.zst", 10, "aa", 20, "bb")
MANIFEST = Manifest(
    vault="v",
    name="2026-manual-1",
    sequence=1,
    kind="manual",
    taken_at=NOW,
    seconds=0.5,
    target="/data/neotoma.db",
    environment=None,
    versions=("0.1", None),
    database=FILE,
    files=(FILE,),
    fingerprints={"observations": Fingerprint(1, "0f")},
    counts=Counts(1, {"observations": 1}, newest=NOW, sample=("a",)),
    secret_tables=(),
    raw_files=RawFiles(),
)
STATE = BackupState(Drill(NOW, "pass", "restored"), NOW, ("less",), 0.1, Acceptance(NOW, "so"))


@dataclasses.dataclass(frozen=True)
class Model:
    """A model with a field of every type."""

    name: FileName
    count: int
    share: float = 0.0
    kind: Literal["a", "b"] = "a"
    at: datetime | None = None
    parts: tuple[str, ...] = ()
    rows: Mapping[str, int] = dataclasses.field(default_factory=dict)


def test_what_was_written_is_read_as_it_was() -> None:
    assert manifest_of(seal_line(MANIFEST)) == MANIFEST
    assert state_of(seal_line(STATE)) == STATE
    assert state_of(seal_line(BackupState())) == BackupState()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("name", name)
            for name in ("../../vault.json", "/etc/passwd", "..", "", "a\0", "\x1b[2J")
        ),
        *(("count", number) for number in (-1, 1e30, 2**60, True, "1", None, [1])),
        *(("share", number) for number in (-0.1, float("nan"), float("inf"), "0", True)),
        ("kind", "c"),
        ("kind", []),
        *(("at", moment) for moment in ("yesterday", 5, "2026-03-01T00:00:00")),
        ("parts", "text"),
        ("parts", [1]),
        ("rows", []),
        ("rows", {"a": -1}),
        ("unknown", 1),
    ],
)
def test_a_field_that_is_not_as_modelled_is_named_and_not_quoted(field: str, value: object) -> None:
    with pytest.raises(NotAsModelled) as refused:
        read_model(Model, {"name": "a", "count": 1, field: value})
    assert refused.value.field.removesuffix("[]") == ("" if field == "unknown" else field)
    assert repr(value) not in str(refused.value) or field == "unknown"


@pytest.mark.parametrize("value", [None, [], "x", {"name": "a"}])
def test_what_is_no_document_or_lacks_a_field_is_refused(value: object) -> None:
    with pytest.raises(NotAsModelled):
        read_model(Model, value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"database": {**dataclasses.asdict(FILE), "name": "../../vault.json"}},
        {"files": [{**dataclasses.asdict(FILE), "size": -1}]},
        {"name": "../other"},
        {"sequence": 1e30},
        {"counts": []},
        {"format": 2},
    ],
)
def test_a_sealed_manifest_of_somebody_else_is_refused(wrong: dict[str, object]) -> None:
    plain = unseal(seal_line(MANIFEST))
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind: all are one to the caller
        manifest_of(seal_line({**plain, **wrong}))
