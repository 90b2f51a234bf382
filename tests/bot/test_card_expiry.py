"""People are asked about a card for three days."""

import pytest

from bot.card_expiry import is_open
from storage.records import StoredVerdict
from tests.storage.records import NOON_MS, at, verdict

DAY_SECONDS = 24 * 3600


@pytest.mark.parametrize(
    ("message_ts", "expected"),
    [
        (None, False),
        (at(-DAY_SECONDS * 3 + 1), True),
        (at(-DAY_SECONDS * 3), False),
        (at(-DAY_SECONDS * 30), False),
        # Slack's clock is ahead of ours
        (at(60), True),
    ],
)
def test_a_card_is_open_for_three_days_after_its_posting(message_ts: str | None, expected: bool) -> None:
    stored = StoredVerdict(
        verdict_id="v", verdict=verdict(), judged_ms=NOON_MS, channel="C1", message_ts=message_ts
    )
    assert is_open(stored, NOON_MS) == expected
