"""What tasks have in common: nothing is cached or stored, and the error says whether to retry."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from neotoma_core.errors import MiddenError, without_panic
from neotoma_core.files.private import keep_private
from neotoma_core.settings.environment import note_vaults

P = ParamSpec("P")
R = TypeVar("R")

RETRY_DELAYS_SECONDS: Final = [2.0, 10.0, 30.0]


def is_retryable(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Return whether the task failed with an error whose class says that trying again may help."""
    return isinstance(state.data, MiddenError) and state.data.retryable


def operation(function: Callable[P, R]) -> Task[P, R]:
    """Return an operation as a task; the panic of a native library fails it, without its message.

    Prefect would call that a crash, and log what it says. What the process creates from then on is
    its owner's alone.
    """

    @wraps(function)
    def name_panics(*words: P.args, **means: P.kwargs) -> R:
        keep_private()
        note_vaults()
        return without_panic(function.__name__, lambda: function(*words, **means))

    return task(
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(RETRY_DELAYS_SECONDS),
        retry_delay_seconds=RETRY_DELAYS_SECONDS,
        retry_condition_fn=is_retryable,
    )(name_panics)
