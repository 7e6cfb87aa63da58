"""What goes wrong with stores, as errors of ours; and doing again what may pass by itself.

What a library says may hold a signed address: of it, only the status, the code of the store and
the kind of failure are repeated.
"""

import random
import re
import time
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, Final, TypeVar

from neotoma_core.errors import (
    MiddenError,
    ObjectMissing,
    RemoteDenied,
    RemoteError,
    RemoteUnreachable,
    UsageError,
)

T = TypeVar("T")

Foreign = Any
"""What a library made that is imported only where it is needed."""

_STATUS: Final = re.compile(r"status code: (\d{3})|status: (\d{3})\b")
_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")
_NO_PLACE: Final = ("NoSuchBucket", "ContainerNotFound", "ResourceNotFound", "InvalidBucketName")
_ELSEWHERE: Final = ("PermanentRedirect", "AuthorizationHeaderMalformed", "TemporaryRedirect")
_CLOCK: Final = ("RequestTimeTooSkewed", "RequestExpired")
_NO_KEYS: Final = re.compile(r"Error performing token request|External \w+ credential provider")
_CERTIFICATE: Final = re.compile(r"certificate|UnknownIssuer", re.IGNORECASE)
_KEYS: Final = "check the credentials: from the environment, a profile, or the machine's own role"
_NO_HOST: Final = re.compile(r"dns error|failed to lookup|EndpointConnectionError: name")
_MOVED: Final = (301, 307)
_DENIED: Final = (401, 403)
_BUSY: Final = (408, 425, 429)
_ITS_FAULT: Final = 500
_FIRST_WAIT: Final = 0.2
_LONGEST_WAIT: Final = 5.0


def library(name: str) -> ModuleType:
    """Return a library that only remotes need. Raises UsageError where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"remotes need {name.partition('.')[0]}, which is not installed; "
            "pip install 'midden[remotes]'"
        ) from error


def patiently(action: Callable[[], T], retries: int, again: Callable[[], Any] = int) -> T:
    """Return what ``action`` returns, done again while the store cannot be reached.

    ``again``: called before each time but the first. Waits longer each time, by chance.
    """
    for number in range(retries):
        try:
            return action()
        except RemoteUnreachable:
            wait = min(_FIRST_WAIT * 2**number, _LONGEST_WAIT)
            time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            again()
    return action()


def while_advancing(fetch: Callable[[], None], length: Callable[[], int], retries: int) -> None:
    """Fetch, and again for as long as a connection that breaks leaves more than was there."""
    while True:
        had = length()
        try:
            return patiently(fetch, retries)
        except RemoteUnreachable:
            if length() == had:
                raise


def of_object_store(error: BaseException, url: str, name: str = "") -> MiddenError:
    """Return what to say of an error of the object store's library."""
    text = str(error)
    status = next((int(a or b) for a, b in _STATUS.findall(text)), 0)
    code = next(iter(_CODE.findall(text)), "")
    kind = type(error).__name__
    if code in _NO_PLACE:
        return no_such_place(url)
    if isinstance(error, FileNotFoundError):
        return ObjectMissing(url, name)
    if _NO_KEYS.search(text):
        return no_credentials(url)
    refused = ("PermissionDeniedError", "UnauthenticatedError")
    return of_status(url, status or (403 if kind in refused else 0), code, text)


def of_status(url: str, status: int, code: str, text: str = "") -> RemoteError:
    """Return what to say of an answer, or where there was none (status 0)."""
    return _of_answer(url, status, code) if status else _of_silence(url, text)


def _of_answer(url: str, status: int, code: str) -> RemoteError:
    named = f"{status} {code}".strip()
    if code in _CLOCK:
        wrong = f"it says that the clock of this machine is wrong ({code})"
        return RemoteDenied(url, wrong, "set the clock")
    if status in _MOVED or code in _ELSEWHERE:
        return RemoteError(url, f"the bucket is in another region ({named})", "name it: --region")
    if status in _DENIED:
        return RemoteDenied(url, f"access was denied ({named})", _KEYS)
    if status >= _ITS_FAULT or status in _BUSY:
        return RemoteUnreachable(url, f"it says it is unavailable ({named})", "run again later")
    return RemoteError(url, f"it refused a request ({named})", "check the address")


def _of_silence(url: str, text: str) -> RemoteError:
    if "builder error" in text:
        return RemoteError(url, "its endpoint is not an address", "check --endpoint")
    if _CERTIFICATE.search(text):
        advice = "check --endpoint, or trust its authority"
        return RemoteError(url, "its certificate is not trusted", advice)
    if _NO_HOST.search(text):
        advice = "check the address and the network, and run again"
        return RemoteUnreachable(url, "its name cannot be found", advice)
    return RemoteUnreachable(url, "it does not answer, or the connection broke")


def no_credentials(url: str) -> RemoteDenied:
    """Return what to say where credentials are missing, or could not be renewed."""
    return RemoteDenied(url, "no working credentials were found", _KEYS)


def no_such_place(url: str) -> RemoteError:
    """Return what to say where a bucket or container is missing."""
    return RemoteError(
        url, "there is no such bucket or container", "make it, or check the spelling"
    )
