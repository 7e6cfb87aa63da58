"""The columns of a database show which Neotoma wrote it."""

import json
from pathlib import Path

import pytest

from neotoma_core.neotoma.tables import TABLES
from neotoma_core.neotoma.versions import (
    SETTLED,
    release_of,
    signs_of_newer,
    tables_at,
    version_range,
)

HISTORY = json.loads(
    (Path(__file__).parents[2] / "data/fixtures/released_versions.json").read_text()
)

INDEXES = [index.name for table in TABLES for index in table.indexes]


def test_the_newest_has_all_that_is_known() -> None:
    assert version_range({t.name: t.names for t in TABLES}, INDEXES)[1] is None


def test_a_day_before_the_releases_is_older_than_any_of_them() -> None:
    tables = {t.name: [c.name for c in t.columns if not (c.since or t.since)] for t in TABLES}
    oldest, after = version_range(tables, ())
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
    oldest, _ = version_range(tables, ())
    assert oldest.startswith("v0.")


@pytest.mark.parametrize(
    ("names", "release"),
    [
        ((), SETTLED),
        (("observations", "idx_observations_entity_id", "notes"), SETTLED),
        (("idx_entity_snapshots_user_type",), "v0.22.2"),
        (("relationship_type_registry", "idx_entity_snapshots_user_type"), "v0.24.0"),
        (("idx_rel_type_registry_resolve",), "v0.24.0"),
        (("member_attribution_ids", "relationship_type_registry"), "v0.25.0"),
    ],
)
def test_tables_and_indexes_tell_the_newest_release(names: tuple[str, ...], release: str) -> None:
    assert release_of(names) == release
    assert bool(signs_of_newer(names)) == (release != SETTLED)


def test_a_release_has_what_came_until_then() -> None:
    tables = {t.name: t for t in tables_at("v0.24.0")}
    assert "member_attribution_ids" not in tables
    assert "authenticated_email" in tables["mcp_oauth_connections"].names
    assert "authorization_code_provenance" not in tables["mcp_oauth_state"].names
    assert [i.name for i in tables["entity_snapshots"].indexes] == [
        "idx_entity_snapshots_user_type"
    ]
    assert next(t for t in tables_at(SETTLED) if t.name == "entity_snapshots").indexes == ()
    assert signs_of_newer({t.name for t in tables_at(SETTLED)}) == ()
