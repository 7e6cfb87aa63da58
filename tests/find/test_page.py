"""The page and the picture of a search: what is lost is seen, and no stored value is."""

import re
from dataclasses import replace

from neotoma_core.find.page import inventory_page, inventory_picture, lanes_of
from tests.support.shown import COPY, INVENTORY


def test_a_live_database_comes_first_and_shows_what_it_lacks() -> None:
    lanes = list(lanes_of(INVENTORY))
    assert [lane.kind for lane in lanes] == ["target", "copy", "twin", "salvaged", "copy"]
    assert lanes[0].lost == {"2026-02-01": 2, "2026-02-03": 3, "not a day": 9}
    assert all(not lane.lost for lane in lanes[1:])


def test_one_that_lacks_nothing_shows_no_loss_whatever_the_days_are() -> None:
    drop = replace(INVENTORY.drops[0], verdict="whole", lacks=0)
    whole = replace(INVENTORY, drops=(drop,))
    assert not any(lane.lost for lane in lanes_of(whole))
    assert "none that is in use lacks" in inventory_page(whole).decode()


def test_the_page_says_what_was_lost_and_what_to_run() -> None:
    page = inventory_page(INVENTORY).decode()
    assert "live.db looks wiped: 5 observations are in its copies and no longer in it." in page
    assert '<code dir="ltr">midden recover</code>' in page
    assert len(re.findall(r'<svg role="img"', page)) == 5
    assert "secret_type" not in page
    assert b"secret_type" not in inventory_picture(INVENTORY)


def test_nothing_found_is_a_page_too() -> None:
    nothing = replace(INVENTORY, copies=(), density={}, drops=())
    assert "0 copies found; none of them is in use." in inventory_page(nothing).decode()
    assert inventory_picture(replace(nothing, copies=(COPY,)))
