"""The total order: by group, latest first, then by id; whatever order rows came in."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neotoma_core.neotoma.json import instant_ms
from neotoma_core.reduce.fields.ordering import bucket_of, in_order, slices
from tests.support.strategies import BAD_TIMES, TIMES

NOON = "2026-02-02T12:00:00.000Z"


def order(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    """Order (id, subject, observed_at) of one user."""
    schema = {"id": pl.String, "of": pl.String, "observed_at": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return in_order(frame.with_columns(user_id=pl.lit("u")), "of")


def test_the_latest_comes_first_and_then_the_lower_id() -> None:
    frame = order(("b", "e", NOON), ("a", "e", NOON), ("c", "e", "2026-02-02T12:00:00.001Z"))
    assert frame["id"].to_list() == ["c", "a", "b"]
    assert frame["row"].to_list() == [0, 1, 2]


def test_ids_are_compared_as_locale_compare_does() -> None:
    frame = order(("obs1", "e", NOON), ("obs-1", "e", NOON), ("obs_1", "e", NOON))
    assert frame["id"].to_list() == ["obs_1", "obs-1", "obs1"]


def test_groups_are_numbered_and_contiguous() -> None:
    frame = order(("a", "x", NOON), ("b", "y", NOON), ("c", "x", NOON))
    assert frame["group"].to_list() in ([0, 0, 1], [0, 1, 1])
    assert frame["group"].n_unique() == frame.select("of", "group").n_unique()


@pytest.mark.parametrize("text", [*TIMES, *BAD_TIMES, None, "2026-02-29T00:00:00.000Z"])
def test_instants_are_those_of_the_canonical_reader(text: str | None) -> None:
    assert order(("a", "e", text))["instant"].item() == instant_ms(text)


@settings(deadline=None)
@given(
    st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", fullmatch=True
    )
)
def test_instants_of_any_digits_are_those_of_the_canonical_reader(text: str) -> None:
    assert order(("a", "e", text))["instant"].item() == instant_ms(text)


def test_only_what_neotoma_would_write_counts_as_written() -> None:
    frame = order(
        ("a", "1", NOON),
        ("B", "2", NOON),
        ("c", "3", "2026-02-02"),
        ("d", "4", "2026-02-30T00:00:00.000Z"),
    ).sort("id")
    assert frame.select("id", "as_written").rows() == [
        ("B", False),
        ("a", True),
        ("c", False),
        ("d", False),
    ]


def test_an_id_is_escaped_for_provenance() -> None:
    assert order(('i"d', "e", NOON))["source"].item() == 'i\\"d'


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), max_size=40), st.integers(1, 10))
def test_slices_cut_between_groups_and_lose_nothing(groups: list[int], rows: int) -> None:
    frame = order(*((f"{i:x}", f"g{group}", NOON) for i, group in enumerate(groups)))
    parts = slices(frame, rows)
    assert pl.concat(parts).equals(frame)
    told = [group for part in parts for group in part["of"].unique()]
    assert len(told) == len(set(told))


def test_a_group_falls_into_one_bucket() -> None:
    groups = pl.DataFrame({"of": ["x", "y", "x", "z"]})
    buckets = groups.select(bucket_of(pl.col("of"), 3)).to_series()
    assert buckets[0] == buckets[2]
    assert buckets.is_between(0, 2).all()


def test_groups_of_equal_hash_are_still_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl.Expr, "hash", lambda column: column.str.len_bytes())
    frame = order(
        ("a", "x", "2026-02-03"),
        ("b", "y", "2026-02-02"),
        ("c", "x", "2026-02-01"),
        ("d", "zz", NOON),
    )
    assert frame["of"].to_list() == ["x", "x", "y", "zz"]
    assert frame["group"].to_list() == [0, 0, 1, 2]


def test_ids_that_locale_compare_calls_equal_come_as_the_merge_reads_them() -> None:
    frame = order(("a\x08", "e", NOON), ("a\x07", "e", NOON), ("a", "e", "2026-02-02T13:00+01:00"))
    assert frame["id"].to_list() == ["a", "a\x07", "a\x08"]
