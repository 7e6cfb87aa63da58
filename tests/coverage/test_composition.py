from dataclasses import replace

from neotoma_core.coverage.composition import Setting, compose
from neotoma_core.coverage.copies import Copy, with_twins
from neotoma_core.coverage.held import Held

TARGET, BIG, TWO, OLD = 0, 1, 2, 3
COPIES = {
    TARGET: Copy(TARGET, "data/neotoma.prod.db", 3, "2026-03-11", "production"),
    BIG: Copy(BIG, "big.db", 10, "2026-03-09", "production"),
    TWO: Copy(TWO, "two.db", 6, "2026-03-10", "production"),
    OLD: Copy(OLD, "old.db", 4, "2026-02-20", "production"),
}
SETTING = Setting(TARGET, (TARGET, BIG, TWO, OLD), "production")
HELD = (
    Held(frozenset({TARGET}), 2),
    Held(frozenset({TARGET, BIG}), 1),
    Held(frozenset({BIG}), 4),
    Held(frozenset({BIG, TWO, OLD}), 4),
    Held(frozenset({TWO}), 1),
)


def test_the_fewest_copies_are_used_and_what_each_is_worth_is_said() -> None:
    composition = compose(SETTING, COPIES, HELD, [Held(frozenset({TWO}), 7)])
    big, two = composition.picks
    assert (big.number, big.adds, big.loses, big.further) == (BIG, 8, 4, 0)
    assert (two.number, two.adds, two.loses, two.further) == (TWO, 1, 1, 7)
    (left,) = composition.left_out
    assert left.number == OLD
    assert "holds nothing" in left.reason


def test_development_strangers_and_twins_are_left_out_with_the_reason() -> None:
    copies = {
        **COPIES,
        4: Copy(4, "neotoma.db", 9, "2026-03-12", "development"),
        5: Copy(5, "theirs.db", 9, "2026-03-12"),
        6: Copy(6, "again.db", 10, "2026-03-09", "production", same_as=BIG),
    }
    own = (*SETTING.own, 4, 6)
    held = (*HELD, Held(frozenset({4}), 9), Held(frozenset({5}), 9))
    composition = compose(replace(SETTING, own=own), copies, held, [])
    assert [pick.number for pick in composition.picks] == [BIG, TWO]
    reasons = {left.number: left.reason for left in composition.left_out}
    assert reasons[4] == "a development database; the target is production"
    assert reasons[5] == "another database: it shares nothing with the target"
    assert reasons[6] == "the same bytes as big.db"
    mixed = compose(replace(SETTING, own=own, mixed=True), copies, held, [])
    assert 4 in {pick.number for pick in mixed.picks}


def test_a_twin_is_used_where_the_other_may_not_be() -> None:
    copies = {
        0: Copy(0, "neotoma.db", 9, None, "development"),
        1: Copy(1, "twin.db", 9, None, same_as=0),
    }
    setting = Setting(None, (0, 1), "production")
    composition = compose(setting, copies, [Held(frozenset({0, 1}), 9)], [])
    assert [pick.number for pick in composition.picks] == [1]


def test_a_salvaged_copy_is_used_only_for_what_no_sound_one_has_and_comes_last() -> None:
    suspect = Copy(4, "damaged.db", 12, "2026-03-12", "production", suspect=True)
    copies = {**COPIES, 4: suspect}
    setting = replace(SETTING, own=(*SETTING.own, 4))
    shared = [Held(one.holders | {4}, one.rows) for one in HELD if TARGET not in one.holders]
    composition = compose(setting, copies, shared, [])
    assert 4 not in {pick.number for pick in composition.picks}
    composition = compose(setting, copies, [*shared, Held(frozenset({4}), 1)], [])
    assert [pick.number for pick in composition.picks] == [BIG, TWO, 4]
    assert composition.picks[-1].adds == 1


def test_without_a_target_everything_comes_from_the_copies() -> None:
    composition = compose(replace(SETTING, target=None), COPIES, HELD, [])
    assert sum(pick.adds for pick in composition.picks) == sum(one.rows for one in HELD)


def test_of_copies_with_the_same_bytes_the_one_with_raw_files_is_used() -> None:
    plain, rich = Copy(0, "a.db", 9, None), Copy(1, "z.db", 9, None, raw_files=True)
    assert [c.same_as for c in with_twins([plain, rich], {0: "x", 1: "x"})] == [1, None]
    assert [c.same_as for c in with_twins([plain, rich], {0: "x", 1: "y"})] == [None, None]
