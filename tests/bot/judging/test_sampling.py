"""The cards that ask before they show the verdict are a random share of those that are shown."""

import pytest
from scipy.stats import binom

from bot.judging.sampling import asks_first, is_sampled

KEYS = (b"", b"one", b"another")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.5, 1.0])
def test_the_share_of_blind_cards_is_as_chance_would_have_it(share: float, key: bytes) -> None:
    asked = sum(asks_first(f"tr-{n}", "politeness", share, key) for n in range(1_000))
    low, high = binom.ppf([0.0001, 0.9999], 1_000, share)
    assert low <= asked <= high


@pytest.mark.parametrize("key", KEYS)
def test_a_card_asks_first_whether_or_not_its_trace_was_a_rare_one(key: bytes) -> None:
    sampled = [n for n in range(20_000) if is_sampled(f"tr-{n}", "politeness", 0.05, key)]
    asked = sum(asks_first(f"tr-{n}", "politeness", 0.05, key) for n in sampled)
    low, high = binom.ppf([0.0001, 0.9999], len(sampled), 0.05)
    assert low <= asked <= high


def test_judges_ask_first_of_different_traces() -> None:
    asked = [
        {n for n in range(1_000) if asks_first(f"tr-{n}", judge, 0.5)} for judge in ("politeness", "brevity")
    ]
    assert 200 < len(asked[0] & asked[1]) < 300


def test_a_larger_share_keeps_the_cards_that_asked_before() -> None:
    few, more = ({n for n in range(1_000) if asks_first(f"tr-{n}", "polite", share)} for share in (0.1, 0.3))
    assert few < more
