"""What is guarded, and what counts as production."""

from datetime import UTC, datetime

import pytest

from neotoma_core.comparison.losses import Extent, Loss, LostRows, loss_of, production_because

MARCH = Extent(6_174, 3_862, datetime(2026, 2, 9, tzinfo=UTC), datetime(2026, 3, 8, 23, tzinfo=UTC))


def losing(held: Extent, observations: int, entities: int = 0) -> Loss:
    return loss_of("a", held, LostRows(observations, entities), None, None)


def test_nearly_all_is_more_than_nine_tenths_of_the_observations() -> None:
    loss = loss_of("neotoma.prod.db", MARCH, MARCH.all_rows, None, "production")
    assert str(loss) == "6,174 observations, 3,862 entities, 28 days; 100 % of everything"
    assert loss.is_nearly_all
    assert str(losing(MARCH, 6_114, 7)).startswith("6,114 observations, 7 entities, 28 days; 99 %")
    assert not losing(Extent(100, 1), 90).is_nearly_all
    assert losing(Extent(100, 1), 91).is_nearly_all
    assert not losing(Extent(0, 0), 0).is_nearly_all


@pytest.mark.parametrize(
    ("extent", "set_to", "named", "why"),
    [
        (Extent(1, 1), "production", "development", "the environment is set to production"),
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
