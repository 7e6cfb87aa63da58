"""Which Neotoma wrote a database is told by its columns."""

import json
from pathlib import Path

import pytest

from neotoma_core.tables import TABLES
from neotoma_core.versions import version_range

HISTORY = json.loads(
    (Path(__file__).parents[2] / "data/fixtures/released_versions.json").read_text()
)


def test_the_newest_has_all_that_is_known() -> None:
    assert version_range({t.name: t.names for t in TABLES})[1] is None


def test_a_day_before_the_releases_is_older_than_any_of_them() -> None:
    tables = {t.name: [c.name for c in t.columns if not (c.since or t.since)] for t in TABLES}
    oldest, after = version_range(tables)
    assert oldest == "2026-02-05"
    assert after == "2026-02-10"


@pytest.mark.parametrize("missing", ["is_live"])
def test_a_column_that_is_missing_says_what_did_not_write_it(missing: str) -> None:
    tables = {
        t.name: [
            c.name
            for c in t.columns
            if (c.since or t.since or "") < "v0.12" or not (c.since or t.since)
        ]
        for t in TABLES
        if not (t.since or "").startswith(("v0.16", "v0.17"))
    }
    tables["relationship_snapshots"] = [c for c in tables["relationship_snapshots"] if c != missing]
    oldest, _ = version_range(tables)
    assert oldest.startswith("v0.")
