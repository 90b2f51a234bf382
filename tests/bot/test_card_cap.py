"""A channel is shown fewer cards while few are answered, but one at least."""

import pytest

from bot.card_cap import CardCap


@pytest.mark.parametrize(
    ("most", "shown", "answered", "cards"),
    [
        (30, 0, 0, 30),
        (30, 19, 0, 30),
        (30, 20, 0, 1),
        (30, 20, 6, 30),
        (30, 20, 5, 25),
        (30, 50, 15, 30),
        (30, 50, 14, 28),
        (30, 50, 5, 10),
        (30, 50, 1, 2),
        (1, 50, 0, 1),
        (0, 50, 0, 0),
        (0, 50, 50, 0),
        (7, 50, 50, 7),
    ],
)
def test_the_cap_follows_the_answered_share(most: int, shown: int, answered: int, cards: int) -> None:
    cap = CardCap(most=most, shown=shown, answered=answered)
    assert cap.cards == cards
    assert cap.is_lowered == (cards < most)
