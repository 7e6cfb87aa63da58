"""Where a target comes to be only with what is written into it."""

from pathlib import Path

import pytest

from neotoma_core.errors import TargetChanged
from neotoma_core.files.atomic import observe
from neotoma_core.neotoma.ddl import column_list
from neotoma_core.neotoma.tables import BY_NAME
from neotoma_core.publication.staging import new_staging
from neotoma_core.publication.transaction import Publication, publish


def test_a_target_that_somebody_makes_meanwhile_is_not_lost(tmp_path: Path) -> None:
    with new_staging(tmp_path / "staging.db") as staging:
        for name in ("entity_snapshots", "relationship_snapshots"):
            for kind in ("write", "remove"):
                columns = column_list(BY_NAME[name].names)
                staging.execute(f"CREATE TABLE {kind}_{name} ({columns})")
    target = tmp_path / "data" / "target.db"
    target.parent.mkdir()

    def make(reached: str) -> None:
        if reached == "committed":
            target.write_bytes(b"of somebody else")

    with observe(make), pytest.raises(TargetChanged):
        publish(Publication(target, tmp_path / "staging.db", {}), lambda *_: None)
    assert [(path, path.read_bytes()) for path in target.parent.iterdir()] == [
        (target, b"of somebody else")
    ]
