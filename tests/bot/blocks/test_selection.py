"""The reason why a trace was given a card: in words on the card, and in the answer to "Why?"."""

from dataclasses import replace
from typing import get_args

import pytest

from bot.blocks.card import verdict_card
from bot.blocks.selection import SELECTION_WORDS, selection_line
from storage.records import CardSelection, SelectionReason
from tests.bot.blocks.test_card import shown
from tests.bot.test_sentences import faults
from tests.factories import a_trace

REASONS: tuple[SelectionReason, ...] = get_args(SelectionReason)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("all", "shown as it came in"),
        ("random", "picked at random"),
        ("unlike", "picked because nothing like it was seen before"),
        ("disagreement", "picked because a second opinion differs"),
        ("dissent", "picked because people judged similar cases differently"),
        ("new_rule", "picked to try a new rule"),
        ("doubtful_rule", "picked because it rests on a rule in doubt"),
        ("conflicting_rules", "picked because a rule behind it contradicts another"),
    ],
)
def test_each_card_says_why_its_trace_was_picked(reason: SelectionReason, words: str) -> None:
    verdict = shown()
    stored = replace(verdict.stored, selection=CardSelection(probability=0.1, reason=reason))
    small_print = verdict_card([replace(verdict, stored=stored)], a_trace()).blocks[2]
    assert words in small_print["elements"][0]["text"].split(" · ")


def test_there_are_plain_words_for_every_reason() -> None:
    assert set(SELECTION_WORDS) == set(REASONS)
    assert [fault for words in SELECTION_WORDS.values() for fault in faults(words, in_slack=True)] == []


@pytest.mark.parametrize(
    ("probability", "chance"),
    [
        (1e-300, "its chance of a card was about 1 in 1,000,000"),
        (0.0004, "its chance of a card was about 1 in 2,500"),
        (0.05, "its chance of a card was about 1 in 20"),
        (0.5, "its chance of a card was about 1 in 2"),
        (0.8, "its chance of a card was 80%"),
        (0.997, "its chance of a card was 99%"),
    ],
)
def test_the_chance_is_told_to_whoever_asks_why(probability: float, chance: str) -> None:
    selection = CardSelection(probability=probability, reason="random")
    assert selection_line(selection) == f"Picked at random; {chance}."


def test_nothing_is_said_of_a_chance_where_every_trace_gets_a_card() -> None:
    assert selection_line(CardSelection()) == ""
