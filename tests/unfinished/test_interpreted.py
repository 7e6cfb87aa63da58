from neotoma_core.unfinished.interpreted import Interpreted

ROWS: list[tuple[str | None, str, int]] = [
    ("u", "2026-02-01T10:02:00.000Z", 3),
    ("u", "2026-02-01T10:00:00.000Z", 1),
    ("u", "2026-02-01T10:01:59.999Z", 2),
    ("u", "2026-02-01T10:00:00.000Z", 0),
    ("v", "2026-02-01T10:00:01.000Z", 4),
    (None, "2026-02-01T10:00:01.000Z", 5),
    ("u", "teatime", 6),
]
START = "2026-02-01T10:00:00.000Z"


def test_a_users_interpretations_within_two_minutes_are_found_in_order() -> None:
    interpreted = Interpreted(ROWS)
    assert interpreted.after("u", START) == [0, 1, 2]
    assert interpreted.after("u", "2026-02-01T10:00:00.001Z") == [2, 3]
    assert interpreted.after("v", START) == [4]
    assert interpreted.after(None, START) == [5]


def test_without_a_time_or_a_row_of_that_user_nothing_is_found() -> None:
    assert Interpreted(ROWS).after("w", START) == []
    assert Interpreted(ROWS).after("u", None) == []
    assert Interpreted([]).after("u", START) == []
