"""Who a pseudonym stands for. Never merged: to delete such a row is to erase the person."""

from typing import Final

from neotoma_core.neotoma.tables.shape import Table, text, texts

MEMBER_ATTRIBUTION_IDS: Final = Table(
    "member_attribution_ids",
    "personal",
    (
        *texts("local_user_id"),
        text("attribution_id", required=True),
        text("created_at", required=True),
    ),
    key=("local_user_id",),
    unique=(("attribution_id",),),
    since="v0.25.0",
)
