"""One statement of a table out of several databases', or the reason why not."""

from neotoma_core.merge.carried import (
    DIFFERENT_KEY,
    DIFFERENT_TYPES,
    OWN_RULES,
    REQUIRED,
    agree,
    further_columns,
)
from neotoma_core.neotoma.tables import BY_NAME, Column, Table
from neotoma_core.neotoma.tables.carried import describe_column


def column(name: str, declared: str = "TEXT", *, required: bool = False) -> Column:
    return describe_column(name, declared, None, required=required)


def table(*columns: Column, name: str = "extra", key: tuple[str, ...] = ("id",)) -> Table:
    return Table(name, "carried", columns, key=key)


def test_the_first_spelling_is_kept_and_columns_are_united() -> None:
    first = table(column("id"), column("One"))
    second = table(column("ONE"), column("two", "INT"), column("ID"), name="Extra", key=("ID",))
    agreed = agree([(0, first), (1, second)], in_target=False)
    assert agreed.refused == {}
    assert agreed.table.name == "extra"
    assert agreed.table.names == ("id", "One", "two")


def test_a_column_is_required_only_where_all_require_it() -> None:
    strict = table(column("id"), column("v", required=True))
    loose = table(column("id"), column("v"))
    assert agree([(0, strict)], in_target=False).table.column("v").required
    assert not agree([(0, strict), (1, loose)], in_target=False).table.column("v").required
    assert agree([(-1, strict), (0, loose)], in_target=True).refused == {0: REQUIRED}
    assert agree([(-1, strict), (0, table(column("id")))], in_target=True).refused == {0: REQUIRED}


def test_what_does_not_fit_is_refused_and_the_others_go_on() -> None:
    first = table(column("id"), column("v"))
    typed = table(column("id"), column("v", "REAL"))
    keyed = table(column("id"), column("v"), key=("id", "v"))
    agreed = agree([(0, first), (1, typed), (2, keyed), (3, first)], in_target=False)
    assert agreed.refused == {1: DIFFERENT_TYPES, 2: DIFFERENT_KEY}
    own = agree([(-1, first), (0, first)], in_target=True, own_rules=True)
    assert own.refused == {0: OWN_RULES}


def test_a_table_that_is_refused_adds_nothing() -> None:
    first = table(column("id"), column("v"))
    other = table(column("id"), column("v", "REAL"), column("more"))
    agreed = agree([(0, first), (1, other)], in_target=False)
    assert (agreed.table.names, agreed.refused) == (("id", "v"), {1: DIFFERENT_TYPES})


def test_what_the_target_requires_is_there_where_the_other_requires_it_too() -> None:
    strict = table(column("id"), column("v", required=True))
    assert agree([(-1, strict), (0, strict)], in_target=True).refused == {}


def test_a_column_that_the_target_lacks_is_required_of_nobody() -> None:
    more = table(column("id"), column("more", required=True))
    agreed = agree([(-1, table(column("id"))), (0, more)], in_target=True).table
    assert not agreed.column("more").required


def test_a_further_column_that_is_declared_differently_keeps_cells_as_they_are() -> None:
    known = BY_NAME["entities"]
    stated = [
        table(*known.columns, column("Score", "REAL"), name="entities"),
        table(*known.columns, column("score", "TEXT"), column("more", "INT"), name="entities"),
    ]
    score, more = further_columns(known, stated)
    assert (score.name, score.declared) == ("Score", "")
    assert (more.name, more.declared) == ("more", "INT")
