"""What is guarded, and what counts as production."""

from datetime import UTC, datetime

import pytest

from neotoma_core.losses import Extent, loss_of, production_because

MARCH = Extent(6_174, 3_862, datetime(2026, 2, 9, tzinfo=UTC), datetime(2026, 3, 8, 23, tzinfo=UTC))


def test_nearly_all_is_a_loss_and_less_is_none() -> None:
    loss = loss_of("neotoma.prod.db", MARCH, 0, None, "production")
    assert str(loss) == "6,174 observations, 3,862 entities, 28 days; 100 % of everything"
    assert str(loss_of("a", MARCH, 60, None, None)).endswith("; 99 % of everything")
    assert loss_of("a", Extent(100, 1), 10, None, None) is None
    assert loss_of("a", Extent(100, 1), 9, None, None) is not None
    assert loss_of("a", Extent(0, 0), 0, None, None) is None


@pytest.mark.parametrize(
    ("extent", "set_to", "named", "why"),
    [
        (Extent(1, 1), "production", "development", "NEOTOMA_ENV is set to production"),
        (Extent(1, 1), None, "production", "its name says so"),
        (Extent(6_174, 1), "development", "development", "it holds 6,174 observations"),
        (Extent(20, 1, MARCH.first, MARCH.last), None, None, "it was used on 28 days"),
        (Extent(20, 1), "development", None, None),
    ],
)
def test_production_is_told_by_setting_name_or_content(
    extent: Extent, set_to: str | None, named: object, why: str | None
) -> None:
    assert production_because(extent, set_to, named) == why  # type: ignore[arg-type]
