"""The reason why a trace was given a card, in words."""

from collections.abc import Mapping

from bot.digest_words import percent
from bot.plain_text import capitalised
from storage.records import CardSelection, SelectionReason

SELECTION_WORDS: Mapping[SelectionReason, str] = {
    "all": "shown as it came in",
    "random": "picked at random",
    "unlike": "picked because nothing like it was seen before",
    "disagreement": "picked because a second opinion differs",
    "dissent": "picked because people judged similar cases differently",
    "new_rule": "picked to try a new rule",
    "doubtful_rule": "picked because it rests on a rule in doubt",
    "conflicting_rules": "picked because a rule behind it contradicts another",
}

LEAST_CHANCE_TOLD = 1e-6


def selection_line(selection: CardSelection) -> str:
    """Return why a trace was picked, and with which chance; empty where no traces were left out."""
    if selection.reason == "all":
        return ""
    return f"{capitalised(SELECTION_WORDS[selection.reason])}; {_chance(selection.probability)}."


def _chance(probability: float) -> str:
    one_in = round(1 / max(probability, LEAST_CHANCE_TOLD))
    share = f"about 1 in {one_in:,}" if one_in >= 2 else percent(probability)
    return f"its chance of a card was {share}"
