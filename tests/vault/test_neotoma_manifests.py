"""What a manifest of Neotoma's own backup names counts only where it is in its folder."""

from pathlib import Path

import pytest

from neotoma_core.neotoma.environments import Environment
from neotoma_core.vault.neotoma_manifests import database_in_manifest, environment_in_manifest


@pytest.mark.parametrize(
    ("written", "found", "environment"),
    [
        ('{"contents":{"neotoma_db":"neotoma.prod.db"}}', True, "production"),
        ('{"contents":{"neotoma_db":"neotoma.db"}}', False, "development"),
        ('{"contents":{"neotoma_db":"../neotoma.prod.db"}}', False, "production"),
        ('{"contents":{"neotoma_db":7}}', False, None),
        ('{"contents":[]}', False, None),
        ("[]", False, None),
        ("{", False, None),
        (None, False, None),
    ],
)
def test_a_database_is_found_by_the_manifest_beside_it(
    written: str | None, environment: Environment | None, tmp_path: Path, *, found: bool
) -> None:
    database = tmp_path / "backup" / "neotoma.prod.db"
    database.parent.mkdir()
    for path in (database, tmp_path / database.name):
        path.touch()
    if written is not None:
        (database.parent / "manifest.json").write_text(written)
    assert database_in_manifest(database.parent) == (database if found else None)
    assert environment_in_manifest(database) == environment
