"""How the stores of the cloud are opened: endpoint, region, and credentials resolved once."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from neotoma_core.errors import RemoteDenied, RemoteError, UsageError
from neotoma_core.stores.failures import Foreign, library
from neotoma_core.stores.multipart import S3Parts
from neotoma_core.stores.names import Address
from neotoma_core.stores.objects import ObjectStore
from neotoma_core.stores.store import StoreOptions

_REGION: Final = "us-east-1"
_CONNECT: Final = timedelta(seconds=10)
_REQUEST: Final = timedelta(minutes=10)  # for 8 MB on a slow line
_HELD: Final = timedelta(minutes=10)  # what botocore renews is asked for again after this
_CREDENTIALS: Final = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of ~/.aws with --profile"
)


def open_s3(address: Address, options: StoreOptions) -> ObjectStore:
    """Open a bucket of S3, or of a store that speaks like it."""
    stores = library("obstore.store")
    session, credentials = _resolve(address.shown, options)
    region = options.region or session.get_config_variable("region") or _REGION
    endpoint = options.endpoint or session.get_scoped_config().get("endpoint_url")
    client = stores.S3Store(
        address.place,
        prefix=address.path or None,
        config={
            "region": region,
            "checksum_algorithm": "SHA256",  # a bucket with object lock asks for one
            "disable_bulk_delete": True,
            **_endpoint(endpoint),
        },
        credential_provider=Provider(credentials),
        **_asking(endpoint),
    )
    connect = partial(_s3_client, session, region, endpoint)
    in_parts = S3Parts(address.shown, address.place, address.path, connect, options.retries)
    return ObjectStore(address.shown, client, options.retries, in_parts)


def open_azure(address: Address, options: StoreOptions) -> ObjectStore:
    """Open a container of Azure; account and credentials are in the environment."""
    stores, errors = library("obstore.store"), library("obstore.exceptions")
    try:
        client = stores.AzureStore(
            address.place,
            prefix=address.path or None,
            config=_endpoint(options.endpoint),
            **_asking(options.endpoint),
        )
    except (errors.BaseError, ValueError):
        client = None
    if client is None:
        raise RemoteDenied(
            address.shown,
            "the environment names no account, or invalid credentials",
            "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or a SAS token",
        )
    return ObjectStore(address.shown, client, options.retries)


def open_google(address: Address, options: StoreOptions) -> ObjectStore:
    """Open a bucket of Google; credentials are in the environment."""
    stores, errors = library("obstore.store"), library("obstore.exceptions")
    endpoint = _endpoint(options.endpoint).get("endpoint")
    try:
        client = stores.GCSStore(
            address.place,
            prefix=address.path or None,
            config={"base_url": endpoint} if endpoint else {},
            **_asking(options.endpoint),
        )
    except (errors.BaseError, ValueError):
        client = None
    if client is None:
        raise RemoteDenied(
            address.shown,
            "the environment names credentials that cannot be used",
            "check the file that GOOGLE_APPLICATION_CREDENTIALS names",
        )
    return ObjectStore(address.shown, client, options.retries)


def _endpoint(endpoint: str | None) -> dict[str, str]:
    if endpoint is None:
        return {}
    if not endpoint.startswith(("http://", "https://")) or "@" in endpoint or "?" in endpoint:
        raise UsageError("write --endpoint as https:// or http://, without credentials or query")
    return {"endpoint": endpoint.rstrip("/")}


def _asking(endpoint: str | None) -> dict[str, Any]:
    """Return how requests are made: each once, as ``patiently`` tries them again."""
    plain = endpoint is not None and endpoint.startswith("http://")
    return {
        "client_options": {
            "allow_http": plain,
            "connect_timeout": _CONNECT,
            "timeout": _REQUEST,
        },
        "retry_config": {"max_retries": 0},
    }


class Provider:
    """Hands obstore the credentials that botocore found, and renews where they end."""

    def __init__(self, credentials: Foreign) -> None:
        self._credentials = credentials
        self._end = hasattr(credentials, "refresh_needed")  # those that never end have it not

    def __call__(self) -> dict[str, Any]:
        """Return them, and until when they are not asked for again."""
        frozen = self._credentials.get_frozen_credentials()
        until = datetime.fromtimestamp(time.time(), UTC) + _HELD if self._end else None
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": until,
        }


def _resolve(url: str, options: StoreOptions) -> tuple[Foreign, Foreign]:
    """Return a session and the credentials in it, as AWS's own programs find them."""
    errors = library("botocore.exceptions")
    credentials = None
    wrong = "no credentials were found"
    try:
        session = library("botocore.session").Session(profile=options.profile)
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()  # a program that makes them may fail
    except errors.ProfileNotFound:
        credentials, wrong = None, "the profile it was to use does not exist"
    except (errors.BotoCoreError, errors.ClientError, OSError, ValueError) as error:
        credentials, wrong = None, f"finding credentials failed ({type(error).__name__})"
    if credentials is None:
        raise RemoteDenied(url, wrong, _CREDENTIALS)
    return session, credentials


def _s3_client(session: Foreign, region: str, endpoint: str | None) -> Foreign:
    """Return a client of the vendor's library; it tries nothing again, either."""
    config = library("botocore.config").Config(
        s3={"addressing_style": "path"} if endpoint else {},
        retries={"total_max_attempts": 1},
        connect_timeout=_CONNECT.total_seconds(),
        read_timeout=_REQUEST.total_seconds(),
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    try:
        return session.create_client("s3", region_name=region, endpoint_url=endpoint, config=config)
    except ValueError as error:
        raise RemoteError(endpoint or region, "it is not an address", "check --endpoint") from error
