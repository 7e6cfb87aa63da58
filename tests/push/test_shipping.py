"""Contents that a push which was killed had shipped are not shipped again."""

from pathlib import Path

import pytest

from neotoma_core.push.shipping import blob_of, ship_contents
from neotoma_core.report.progress import Silent
from neotoma_core.sqlite.copies import sha256_of
from neotoma_core.stores.wrapped import Counted
from tests.support.databases import entity, make_database
from tests.support.remotes import Machine, memory_url


@pytest.mark.parametrize(("size", "again"), [(3 << 20, 0), (10, 10)])
def test_a_large_content_that_is_there_is_not_sent_again(
    size: int, again: int, tmp_path: Path
) -> None:
    database = make_database(tmp_path / "neotoma.db", {"entities": [entity("e1")]})
    machine = Machine(tmp_path, memory_url(), database, plain=True)
    counted = Counted(machine.store)
    machine.around = counted
    machine.add()
    content = tmp_path / "content"
    content.write_bytes(bytes(size))
    remote = machine.remote()
    shipment = blob_of(remote, sha256_of(content), content, size)

    ship_contents(remote, [shipment], tmp_path, Silent())
    sent = counted.traffic.sent
    ship_contents(remote, [shipment], tmp_path, Silent())

    assert counted.traffic.sent == sent + again  # of a small one, asking costs as much
