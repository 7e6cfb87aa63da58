"""Panicked: the database is wiped, nothing has been read but the list of commands."""

import pytest

from tests.people.conftest import TARGET, WHOLE, Person, line_behind
from tests.support.databases import count
from tests.support.ruins import with_log


@pytest.mark.parametrize("state", ["wiped", "zero bytes", "gone, its log is left"])
def test_two_commands_bring_back_what_there_is(state: str, person: Person) -> None:
    if state == "zero bytes":
        person.target.write_bytes(b"")
    elif state != "wiped":
        with_log(person.target)
        person.target.unlink()
    looked = person.say("status", TARGET)
    assert looked.returncode == 6, looked.stderr
    done = person.paste(looked.stdout.partition("home folder: ")[2].splitlines()[0], typed="y\n")
    assert done.returncode == 0, done.stderr
    only_here = 22  # of the 84 that are left
    assert count(person.target, "observations") >= WHOLE - only_here * (state != "wiped")


def test_who_names_no_database_is_told_which_there_is(person: Person) -> None:
    for words in (["status"], ["recover"], ["backup"]):
        asked = person.say(*words)
        assert asked.returncode == 2
        assert f"Neotoma's is {person.target}" in asked.stderr
        assert len(asked.stderr.splitlines()) == 1


def test_the_end_says_what_looks_older_and_how_it_cannot_happen_again(person: Person) -> None:
    unasked = person.say("recover", "--target", TARGET)
    assert (unasked.returncode, "nobody to ask" in unasked.stderr) == (2, True)
    assert person.report("status", TARGET)["left"] == []
    done = person.accomplish("recover", "--target", TARGET, "--yes")
    assert "62 observations were sent again and look newer than they are" in done.stdout
    further = person.paste(done.stdout.partition("home folder: ")[2].splitlines()[0], "--yes")
    assert further.returncode == 0, further.stderr
    assert count(person.target, "observations") == WHOLE
    line = line_behind(further.stdout, "next").partition(": ")[2]
    assert person.paste(line, "--yes", "--no-schedule").returncode == 0
    assert person.report("status")["protection"]["good"] == 1
