from neotoma_core.coverage.copies import Copy
from neotoma_core.coverage.held import Held
from neotoma_core.coverage.identity import environment_by_content, families, family_of_target
from neotoma_core.neotoma.environments import Environment


def copy(number: int, observations: int = 10, environment: Environment | None = None) -> Copy:
    return Copy(number, str(number), observations, None, environment)


def hold(*holders: int, rows: int = 1) -> Held:
    return Held(frozenset(holders), rows)


def test_one_row_made_at_the_same_moment_proves_one_database() -> None:
    copies = [copy(0), copy(1), copy(2)]
    assert families(copies, [hold(0, 2)], []) == ((0, 2), (1,))


def test_the_same_thing_told_to_two_databases_proves_nothing() -> None:
    copies = [copy(0, 10), copy(1, 10)]
    assert families(copies, [], [hold(0, 1, rows=4)]) == ((0,), (1,))


def test_a_memory_begun_anew_is_known_by_most_of_what_it_was_told_again() -> None:
    copies = [copy(0, 6174), copy(1, 84)]
    assert families(copies, [], [hold(0, 1, rows=62)]) == ((0, 1),)


def test_the_environment_is_what_most_observations_are_said_to_be_of() -> None:
    copies = {0: copy(0, 5, "development"), 1: copy(1, 9, "production"), 2: copy(2)}
    assert environment_by_content((0, 1, 2), copies) == "production"
    assert environment_by_content((2,), copies) is None


def test_a_target_is_of_the_family_it_shares_rows_with_even_a_few() -> None:
    copies = {0: copy(0, 6000), 1: copy(1, 6000), 2: copy(2, 84)}
    found = ((0,), (1,), (2,))
    assert family_of_target(2, None, found, copies, [hold(1, 2)]) == ((1,),)
    assert family_of_target(1, None, ((0, 1), (2,)), copies, []) == ((0, 1),)


def test_a_target_that_shares_nothing_may_be_any_of_its_environment() -> None:
    copies = {0: copy(0, 9, "production"), 1: copy(1, 9, "development"), 2: copy(2, 9)}
    found = ((0,), (1,), (2,))
    assert family_of_target(None, "production", found, copies, []) == ((0,), (2,))
    assert family_of_target(None, None, found, copies, []) == found


def test_what_one_vault_keeps_is_one_database_whatever_it_holds() -> None:
    copies = [copy(number, observations=10 - number) for number in range(4)]
    assert families(copies, [], [], [(0, 9, 2), (1,)]) == ((0, 2), (1,), (3,))
