"""Analyst: finds an entity by its name, its history, what was known when, and tables to open."""

import shutil

import duckdb
import polars as pl
import pytest

from tests.people.conftest import LARGEST, TARGET, Person

NAME = "QUINN eriksen 796"
ENTITY = "ent_175f59bd774609ed4c74b245"


def test_names_dates_and_tables_lead_to_what_is_asked(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(person.home / LARGEST, person.target)
    person.accomplish("init", "--target", TARGET, "--yes", "--no-schedule")
    person.accomplish("archive")
    shown = person.accomplish("show", NAME)
    assert ENTITY in shown.stdout
    assert "Quinn Eriksen 796" in shown.stdout
    assert [line for line in shown.stdout.splitlines() if len(line) > 80 and "/" not in line] == []
    earlier = person.accomplish("show", NAME, "--in", f"{TARGET}@2026-02-20")
    assert "2026-02-20" in earlier.stdout
    told = person.accomplish("history", "--entity", ENTITY).stdout
    assert told.count("2026-") > 2
    assert [line for line in told.splitlines() if len(line) > 80 and "/" not in line] == []
    assert "0 merges" in person.accomplish("merges").stdout
    compared = person.accomplish("diff", f"{TARGET}@2026-02-20", TARGET)
    assert "contacts changed" in compared.stdout.splitlines()[0]

    refused = person.say("export", "--to", "out", "--as-of", "2026-02-30")
    assert (refused.returncode, "2026-02-28" in refused.stderr) == (2, True)
    written = person.accomplish("export", "--to", "out", "--as-of", "2026-02-20")
    assert "2026-02-20T00:00:00" in written.stdout
    out = person.home / "out"
    contacts = pl.read_parquet(out / "entities" / "contact.parquet").height
    monkeypatch.chdir(out)
    with duckdb.connect("analytics.duckdb", read_only=True) as opened:
        assert opened.execute("SELECT count(*) FROM contact").fetchone() == (contacts,)
    assert contacts > 0
