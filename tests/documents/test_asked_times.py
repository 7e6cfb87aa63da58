"""Times of options: one reading, in UTC, the same on every machine; anything else is refused."""

import pytest

from neotoma_core.documents.asked_times import read_asked_instant, read_asked_time
from neotoma_core.errors import UsageError
from neotoma_core.neotoma.json import instant_ms

READ = {
    "2026-03-01": "2026-03-01T00:00:00.000Z",
    " 2026-03-01T12:00 ": "2026-03-01T12:00:00.000Z",
    "2026-03-01 12:00:05": "2026-03-01T12:00:05.000Z",
    "2026-03-01t12:00:05.1239z": "2026-03-01T12:00:05.123Z",
    "2026-03-01T12:00:05,5Z": "2026-03-01T12:00:05.500Z",
    "2026-03-01T13:00+01:00": "2026-03-01T12:00:00.000Z",
    "2026-03-01T05:30-0630": "2026-03-01T12:00:00.000Z",
    "2026-03-01T00:00-00:00": "2026-03-01T00:00:00.000Z",
    "2026-03-01T24:00": "2026-03-02T00:00:00.000Z",
    "2026-12-31T24:00:00.000Z": "2027-01-01T00:00:00.000Z",
    "2026-03-29T02:30": "2026-03-29T02:30:00.000Z",  # not there in Berlin, and here no matter
    "20260301T120000Z": "2026-03-01T12:00:00.000Z",
    "20260301": "2026-03-01T00:00:00.000Z",
    "2024-02-29": "2024-02-29T00:00:00.000Z",
    "0001-01-01": "0001-01-01T00:00:00.000Z",
    "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999Z",
}
REFUSED = {
    "2026-02-30": "2026-02-28",
    "1900-02-29": "1900-02-28",
    "2026-04-31T10:00Z": "2026-04-30",
    "2026-13-01": "no month 13",
    "2026-00-10": "no month 00",
    "2026-01-00": "2026-01-31",
    "0000-01-01": "no year 0000",
    "2016-12-31T23:59:60Z": "leap seconds",
    "2026-03-01T24:00:01": "23:59:59.999",
    "2026-03-01T24:01": "23:59:59.999",
    "2026-03-01T25:00": "23:59:59.999",
    "2026-03-01T12:60": "23:59:59.999",
    "2026-03-01T12:00+14:01": "14:00",
    "2026-03-01T12:00+01:60": "less than 60",
    "9999-12-31T24:00": "0001 to 9999",
    "0001-01-01T00:00+01:00": "0001 to 9999",
    "": "not a time",
    "now": "not a time",
    "yesterday": "not a time",
    "1": "not a time",
    "2026": "not a time",
    "2026-03": "not a time",
    "March 1, 2026": "not a time",
    "01/03/2026": "not a time",
    "2026-3-1": "not a time",
    "2026-0301": "not a time",
    "2026-03-01T12": "not a time",
    "2026-03-01T12:00 CET": "not a time",
    "2026-03-01T12:00[Europe/Berlin]": "not a time",
    "2026-03-01Z": "not a time",
    "+02026-03-01": "not a time",
    "\u0662\u0660\u0662\u0666-03-01": "not a time",
    "1772366400": "not a time",
}


@pytest.mark.parametrize(("text", "means"), READ.items())
def test_a_time_is_printed_back_in_utc(text: str, means: str) -> None:
    assert read_asked_time("--as-of", text) == means
    assert read_asked_instant("--as-of", text) == instant_ms(means)
    assert read_asked_time("--as-of", means) == means


@pytest.mark.parametrize(("text", "why"), REFUSED.items())
def test_what_is_no_time_is_refused_with_what_is_near(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=r"^--as-of ") as refused:
        read_asked_time("--as-of", text)
    assert why in str(refused.value)


def test_no_time_is_none() -> None:
    assert read_asked_time("--as-of", None) is None
