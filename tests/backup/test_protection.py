"""What stands between a database and its loss, in words."""

from dataclasses import replace

import pytest

from neotoma_core.backup.protection import Protection, protection_text

SAFE = Protection(
    vault="vault",
    last_backup=None,
    last_verified=None,
    level="recomputed",
    drop=0.0,
    overdue=None,
    good=1,
    frozen=False,
    alarms=(),
    incomplete=False,
    tables={},
    backups=1,
    scheduled=False,
)


@pytest.mark.parametrize(
    ("drop", "said"),
    [(0.0, ""), (0.0016, ""), (0.005, ""), (0.0051, "1% fewer"), (0.9, "90% fewer")],
)
def test_a_drop_that_rounds_to_nothing_is_not_said(drop: float, said: str) -> None:
    text = protection_text(replace(SAFE, drop=drop))
    assert said in text
    assert ("fewer" in text) == bool(said)
