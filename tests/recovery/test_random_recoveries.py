"""Whatever two databases hold: a recovery keeps its proofs, and a second one writes nothing."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neotoma_core.merge.policy import MergeMode, ReingestedMode
from tests.conftest import Recover, recover_into
from tests.merge.random_databases import contents
from tests.sources.test_narrowing import Contents, store
from tests.support.databases import Row, entity, make_database, read_all

AT = "2026-02-04T00:00:00.000Z"


@settings(
    max_examples=10 if settings().max_examples < 1_000 else 1_000,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    contents(),
    contents(),
    st.sampled_from(["keep-target", "keep-source"]),
    st.sampled_from(["by-mode", "keep-earliest"]),
)
def test_what_is_written_is_proven_and_settled(
    target: Contents, backup: Contents, mode: MergeMode, reingested: ReingestedMode
) -> None:
    # One id for two schemas is refused by the target's own key; no Neotoma makes that.
    backup["schema_registry"] = target["schema_registry"]
    with TemporaryDirectory() as name:
        folder = Path(name)
        one, other = store(folder / "one.db", target), store(folder / "other.db", backup)
        run = recover_into(folder / "vault")
        run(one, other, mode=mode, reingested=reingested)
        assert run(one, other, mode=mode, reingested=reingested, dry_run=True).writes == 0


def edge(identifier: str, start: str, end: str) -> Row:
    return {
        "id": identifier,
        "relationship_key": f"KNOWS:{start}:{end}",
        "relationship_type": "KNOWS",
        "source_entity_id": start,
        "target_entity_id": end,
        "observed_at": AT,
    }


MERGED: list[Row] = [entity("a"), entity("b", merged_to_entity_id="a", merged_at=AT)]


@pytest.mark.parametrize("again", ["same", "other"])
def test_a_row_may_get_the_number_or_the_id_of_one_that_leaves(
    again: str, tmp_path: Path, run_recover: Recover
) -> None:
    """The last edge of the target became one from an entity to itself, and leaves."""
    target = make_database(
        tmp_path / "target.db",
        {"entities": MERGED, "relationship_observations": [edge("same", "b", "a")]},
    )
    backup = make_database(
        tmp_path / "backup.db",
        {"entities": [entity("c")], "relationship_observations": [edge(again, "c", "b")]},
    )
    assert run_recover(target, backup).outcome == "published"
    (left,) = read_all(target)["relationship_observations"]
    assert left[:2] == (again.encode(), b"KNOWS:c:a")


def test_what_points_to_an_entity_that_is_nowhere_keeps_its_rows(
    tmp_path: Path, run_recover: Recover
) -> None:
    lost: list[Row] = [entity("a"), entity("b", merged_to_entity_id="nowhere", merged_at=AT)]
    target = make_database(tmp_path / "target.db", {"entities": lost})
    backup = make_database(
        tmp_path / "backup.db", {"relationship_observations": [edge("r", "a", "b")]}
    )
    assert run_recover(target, backup).outcome == "published"
    (kept,) = read_all(target)["relationship_observations"]
    assert kept[1] == b"KNOWS:a:b"
