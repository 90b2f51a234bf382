"""Weeks, as people name them."""

from datetime import date

import pytest

from bot.runtime.clock import named_week


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("", "2026-W01"),
        ("this week", "2026-W01"),
        ("last", "2025-W52"),
        (" LAST WEEK ", "2025-W52"),
        ("2026-w47", "2026-W47"),
        ("2026-W99", None),
        ("2026-W53 please", None),
        ("yesterday", None),
    ],
)
def test_a_week_is_read_as_people_name_it(text: str, week: str | None) -> None:
    assert named_week(text, date(2025, 12, 29)) == week
