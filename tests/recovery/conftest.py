"""The key of encrypted columns."""

from pathlib import Path

import pytest

from neotoma_core.files.keys import KeyFile
from tests.neotoma.test_encryption import SECRET
from tests.support.sealing import key_file


@pytest.fixture
def key(tmp_path: Path) -> KeyFile:
    return key_file(tmp_path, SECRET)
