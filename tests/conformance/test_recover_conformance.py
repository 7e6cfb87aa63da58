"""The conformance corpus through a whole recovery: into nothing, with the registry of the input."""

from pathlib import Path

import pytest
import zstandard

from tests.compared import differences
from tests.conftest import FIXTURES, Recover


@pytest.mark.parametrize("case", ["a", "b"])
def test_every_snapshot_of_the_corpus_comes_out_of_a_recovery(
    case: str, tmp_path: Path, run_recover: Recover
) -> None:
    folder = FIXTURES / f"conformance_{case}"
    backup = tmp_path / "input.db"
    packed = zstandard.ZstdDecompressor().stream_reader((folder / "input.db.zst").read_bytes())
    backup.write_bytes(packed.read())
    target = tmp_path / "target.db"
    run_recover(target, backup)
    for table in ("entity_snapshots", "relationship_snapshots"):
        assert differences(target, table, folder / f"expected_{table}.parquet") == []
