"""What is read of the environment for remotes."""

import pytest

from neotoma_core.settings.environment import store_options
from neotoma_core.stores.store import StoreOptions


def test_an_endpoint_is_the_one_given_or_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    assert store_options() == StoreOptions()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://one")
    assert store_options(region="r", profile="p") == StoreOptions("http://one", "r", "p")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://two")
    assert store_options().endpoint == "http://two"
    assert store_options("http://three").endpoint == "http://three"
