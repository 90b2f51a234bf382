"""A world with one tacit rule: people label, and give no reasons. Only the standard library.

An answer promises a thing in some manner; one manner of seven is wrong, whatever the thing. Each manner has several
wordings, some of which no labelled case has: a reader recognises the manner in them, a comparison of words does not.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.bench.rules import PEOPLE, Case, Vote, World

MANNERS = {
    "haste": ("within the hour", "before noon today", "at once", "in five minutes", "while you hold"),
    "mail": (
        "by registered post",
        "on paper",
        "through our courier",
        "to your doorstep",
        "under separate cover",
    ),
    "thrift": ("free of charge", "for nothing", "at no cost", "without any fee", "on the house"),
    "care": ("with great care", "very gently", "as tenderly as possible", "in soft wrapping", "padded well"),
    "company": ("together with a colleague", "as a team", "hand in hand", "jointly", "side by side"),
    "proof": (
        "against a receipt",
        "once signed",
        "upon confirmation",
        "after an inspection",
        "when verified",
    ),
    "season": ("next summer", "during winter", "come spring", "as autumn begins", "for the holidays"),
}
WRONG_MANNER = "haste"
LEARNED_WORDINGS = {name: wordings[:3] for name, wordings in MANNERS.items()}
NEW_WORDINGS = {name: wordings[3:] for name, wordings in MANNERS.items()}


class TacitWorld:
    """Cases, some labelled by people who follow the tacit rule; the same seed gives the same world.

    Args:
        things: Number of things that answers promise.
        seed: Of the random choices.
    """

    def __init__(self, things: int, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._world = World(things, seed=seed)
        self._ms = 1_700_000_000_000

    def case(self, wordings: Mapping[str, Sequence[str]]) -> Case:
        """Return a case that nobody has labelled, in one of these wordings."""
        case = self._world.case()
        wording = self._random.choice(wordings[self._random.choice(list(wordings))])
        promise = f"We promise {case.thing}"
        return replace(case, answer=case.answer.replace(promise, f"{promise} {wording}"))

    def labelled(self, count: int) -> list[Case]:
        """Return cases with one person's label each, and no reason."""
        return [self._with_label(self.case(LEARNED_WORDINGS)) for _ in range(count)]

    def _with_label(self, case: Case) -> Case:
        self._ms += 60_000
        vote = Vote(self._random.choice(PEOPLE), is_right(case), "", self._ms)
        return replace(case, votes=(vote,))


def is_right(case: Case) -> bool:
    """Return the label by the tacit rule."""
    return manner_in(case.answer) != WRONG_MANNER


def manner_in(text: str) -> str | None:
    """Return the manner in which a text promises something."""
    return next((name for name, wordings in MANNERS.items() if any(each in text for each in wordings)), None)
