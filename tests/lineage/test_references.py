"""References that lead nowhere: which the merge made, and which already were."""

import polars as pl

from neotoma_core.lineage.offers import Offered
from neotoma_core.lineage.references import find_dangling
from neotoma_core.merge.plan import plan_merge
from neotoma_core.merge.policy import MergePolicy
from neotoma_core.neotoma.frames import ORIGIN, TARGET
from neotoma_core.neotoma.tables import MERGED
from tests.merge.test_table import Rows, offer


def database(**tables: Rows) -> dict[str, Offered]:
    return {table.name: offer(table, tables.get(table.name, [])) for table in MERGED}


def test_a_reference_that_led_nowhere_in_its_backup_is_not_new() -> None:
    backup = database(observations=[{"id": "o", "entity_id": "nobody"}])
    plan = plan_merge(database(), [backup], MergePolicy())
    assert plan.dangling.rows() == [("observations", "entity_id", 1, 0)]


def test_a_reference_to_a_row_of_the_target_that_no_frame_holds_is_fine() -> None:
    rows: Rows = [{"id": "o", "entity_id": "there"}, {"id": "p", "entity_id": "nobody"}]

    def elsewhere(table: str, ids: pl.Series) -> pl.Series:
        assert table == "entities"
        return ids.filter(ids == "there")

    plan = plan_merge(
        database(), [database(observations=rows)], MergePolicy(), None, MERGED, elsewhere
    )
    assert plan.dangling.rows() == [("observations", "entity_id", 1, 0)]


def test_a_reference_that_another_backup_resolves_is_fine() -> None:
    backups = [
        database(observations=[{"id": "o", "entity_id": "e"}]),
        database(entities=[{"id": "e"}]),
    ]
    assert plan_merge(database(), backups, MergePolicy()).dangling.is_empty()


def test_a_reference_the_merge_would_lose_is_new() -> None:
    backup = database(entities=[{"id": "e"}], observations=[{"id": "o", "entity_id": "e"}])
    merged = {
        name: offered.rows.with_columns(pl.lit(0).alias(ORIGIN)) for name, offered in backup.items()
    }
    merged["entities"] = merged["entities"].clear()
    lost = find_dangling(merged, {TARGET: database(), 0: backup})
    assert lost.rows() == [("observations", "entity_id", 1, 1)]


def test_an_empty_text_refers_to_nothing() -> None:
    backup = database(timeline_events=[{"id": "t", "source_id": ""}])
    assert plan_merge(database(), [backup], MergePolicy()).dangling.is_empty()


def test_references_to_a_remapped_source_follow_it() -> None:
    same = {"content_hash": "h", "user_id": "u"}
    target = database(sources=[{"id": "s1", **same}])
    backup = database(sources=[{"id": "s2", **same}], observations=[{"id": "o", "source_id": "s2"}])
    plan = plan_merge(target, [backup], MergePolicy())
    assert plan.rows_after("observations")["source_id"].to_list() == ["s1"]
    assert plan.dangling.filter(pl.col("column") == "source_id").is_empty()
