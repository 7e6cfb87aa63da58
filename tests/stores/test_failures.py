"""What a store answers, as an error that says what to do: by status, code and kind of failure."""

import pytest

from neotoma_core.errors import (
    MiddenError,
    ObjectMissing,
    RemoteDenied,
    RemoteError,
    RemoteUnreachable,
)
from neotoma_core.stores.failures import of_object_store
from neotoma_core.stores.opening import open_store

URL = "s3://bucket"
SIGNED = "http://host/b?X-Amz-Signature=plain-secret"


def say(status: int, code: str) -> str:
    return f"GET {SIGNED} - non-2xx status code: {status} X: <Error><Code>{code}</Code></Error>"


CASES: list[tuple[BaseException, type[MiddenError], str]] = [
    (FileNotFoundError(say(404, "NoSuchKey")), ObjectMissing, "there is no object a"),
    (FileNotFoundError(say(404, "NoSuchBucket")), RemoteError, "no such bucket or container"),
    (ValueError(say(404, "ContainerNotFound")), RemoteError, "no such bucket or container"),
    (ValueError(say(403, "AccessDenied")), RemoteDenied, r"denied \(403 AccessDenied\)"),
    (ValueError(say(403, "RequestTimeTooSkewed")), RemoteDenied, "set the clock"),
    (ValueError(say(301, "PermanentRedirect")), RemoteError, "name it: --region"),
    (ValueError(say(400, "AuthorizationHeaderMalformed")), RemoteError, "another region"),
    (ValueError(say(503, "SlowDown")), RemoteUnreachable, r"unavailable \(503 SlowDown\)"),
    (ValueError(say(429, "")), RemoteUnreachable, "run again later"),
    (ValueError(say(400, "Odd")), RemoteError, r"refused a request \(400 Odd\)"),
    (ValueError(f"{SIGNED} builder error"), RemoteError, "check --endpoint"),
    (ValueError(f"{SIGNED} invalid peer certificate"), RemoteError, "is not trusted"),
    (ValueError(f"{SIGNED} dns error"), RemoteUnreachable, "its name cannot be found"),
    (ValueError(f"{SIGNED} error sending request"), RemoteUnreachable, "it does not answer"),
    (ValueError(f"Error performing token request {SIGNED}"), RemoteDenied, "no working"),
]


@pytest.mark.parametrize(("error", "kind", "words"), CASES, ids=lambda case: str(case)[-40:])
def test_an_answer_becomes_an_error_without_what_was_signed(
    error: BaseException, kind: type[MiddenError], words: str
) -> None:
    known = of_object_store(error, URL, "a")
    assert type(known) is kind
    with pytest.raises(kind, match=words):
        raise known
    assert "plain-secret" not in str(known)


def test_azure_and_google_without_usable_credentials(
    credentials: pytest.MonkeyPatch,
) -> None:
    credentials.delenv("AZURE_STORAGE_ACCOUNT_NAME")
    with pytest.raises(RemoteDenied, match="set AZURE_STORAGE_ACCOUNT_NAME"):
        open_store("az://container")
    credentials.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/not/there")
    with pytest.raises(RemoteDenied, match="GOOGLE_APPLICATION_CREDENTIALS names"):
        open_store("gs://bucket")
