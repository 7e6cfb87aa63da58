"""S3: credentials, how they are found and renewed, and that no message shows them."""

import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import botocore.session
import pytest

from neotoma_core.errors import RemoteDenied
from neotoma_core.stores.clouds import Provider
from neotoma_core.stores.opening import open_store, probe
from neotoma_core.stores.store import StoreOptions
from tests.support.seaweed import OWNER, STRANGER
from tests.support.storing import Place, use_keys


@pytest.mark.parametrize("user", [("owner", "wrong"), ("nobody", "wrong"), STRANGER])
def test_wrong_credentials_are_denied(
    user: tuple[str, str], s3_place: Place, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_keys(credentials, user)
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    with s3_place.open() as store:
        for ask in (
            lambda: store.create("one", b""),
            lambda: store.create("one", large),
            lambda: store.read("one"),
            lambda: list(store.list()),
            lambda: store.delete("one"),
            lambda: probe(store),
        ):
            with pytest.raises(RemoteDenied, match="check the credentials") as raised:
                ask()
            assert raised.value.exit_code == 32


@pytest.fixture
def no_keys(credentials: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    credentials.delenv("AWS_ACCESS_KEY_ID")
    credentials.delenv("AWS_SECRET_ACCESS_KEY")
    return credentials


def test_no_credentials_at_all(s3_place: Place, no_keys: pytest.MonkeyPatch) -> None:
    assert no_keys
    with pytest.raises(RemoteDenied, match="no credentials were found; set AWS_ACCESS_KEY_ID"):
        open_store(s3_place.url, s3_place.options)


def test_a_profile_that_is_not_there(s3_place: Place) -> None:
    with pytest.raises(RemoteDenied, match="the profile it was to use does not exist"):
        open_store(s3_place.url, StoreOptions(profile="gone"))


def settings(environment: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    config = folder / "aws config"
    config.write_text(textwrap.dedent(text))
    environment.setenv("AWS_CONFIG_FILE", str(config))


def test_a_profile_is_used_before_keys_of_the_environment(
    s3_place: Place, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_keys(credentials, STRANGER)
    settings(
        credentials,
        tmp_path,
        f"""
        [profile mine]
        region = somewhere-1
        endpoint_url = {s3_place.options.endpoint}
        aws_access_key_id = {OWNER[0]}
        aws_secret_access_key = {OWNER[1]}
        """,
    )
    with Place(s3_place.url, StoreOptions(profile="mine")).open() as store:
        assert store.create("one", b"1")
        assert store.read("one") == b"1"


def program_of_credentials(folder: Path, lasting: timedelta, times: int = 100) -> Path:
    """Make a program that gives credentials which soon end, a few times, and keeps count."""
    script = folder / "program.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import json, pathlib, sys
            from datetime import UTC, datetime, timedelta
            asked = pathlib.Path({str(folder / "asked")!r})
            count = len(asked.read_text()) if asked.exists() else 0
            asked.write_text("x" * (count + 1))
            if count >= {times}:
                sys.exit("plain-secret")
            end = datetime.now(UTC) + timedelta(seconds={lasting.total_seconds()})
            said = {{"Version": 1, "AccessKeyId": {OWNER[0]!r}, "SecretAccessKey": {OWNER[1]!r}}}
            print(json.dumps({{**said, "Expiration": end.isoformat()}}))
            """
        )
    )
    return script


def use_program(environment: pytest.MonkeyPatch, folder: Path, program: Path) -> None:
    settings(environment, folder, f"[default]\ncredential_process = {sys.executable} {program}\n")


def test_a_program_gives_credentials_once(
    s3_place: Place, no_keys: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(no_keys, tmp_path, program_of_credentials(tmp_path, timedelta(hours=12)))
    with s3_place.open() as store:
        assert store.create("one", b"1")
        assert store.create("large", bytes(9 << 20))
        assert store.read("one") == b"1"
    assert (tmp_path / "asked").read_text() == "x"


def test_credentials_that_end_are_renewed(no_keys: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_program(no_keys, tmp_path, program_of_credentials(tmp_path, timedelta(minutes=1)))
    provider = Provider(botocore.session.Session().get_credentials())
    given = [provider(), provider()]
    assert len((tmp_path / "asked").read_text()) >= 3
    assert all(one["access_key_id"] == OWNER[0] and one["expires_at"] for one in given)


def test_credentials_that_cannot_be_renewed_are_missing(
    s3_place: Place, no_keys: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(no_keys, tmp_path, program_of_credentials(tmp_path, timedelta(minutes=1), 2))
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    with s3_place.open() as store:
        for ask in (lambda: store.read("one"), lambda: store.create("large", large)):
            with pytest.raises(RemoteDenied, match="no working credentials") as raised:
                ask()
            assert all("plain-secret" not in text for text in chain(raised.value))


def test_a_program_that_fails_is_no_credentials(
    s3_place: Place, no_keys: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_program(no_keys, tmp_path, program_of_credentials(tmp_path, timedelta(minutes=1), 0))
    with pytest.raises(RemoteDenied, match="finding credentials failed") as raised:
        open_store(s3_place.url, s3_place.options)
    assert all("plain-secret" not in text for text in chain(raised.value))


def chain(error: BaseException | None) -> Iterator[str]:
    """Yield all that an error and those it came from say."""
    while error is not None:
        yield f"{error!r} {error}"
        error = error.__cause__ or error.__context__


def test_no_secret_is_in_any_message(
    s3_place: Place, credentials: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = f"plain-{'secret'}-that-nobody-sees"
    large = tmp_path / "large"
    large.write_bytes(bytes(9 << 20))
    credentials.setenv("AWS_SESSION_TOKEN", f"{secret}-token")
    for user in (("owner", secret), (secret, secret)):
        use_keys(credentials, user)
        with s3_place.open() as store:
            for ask in (
                lambda: store.create("one", b""),
                lambda: store.create("one", large),
                lambda: store.read("one"),
                lambda: list(store.list()),
                lambda: store.delete("one"),
            ):
                with pytest.raises(RemoteDenied) as raised:
                    ask()
                assert secret not in str(raised.value)
                assert all("secret-that" not in text for text in chain(raised.value))
