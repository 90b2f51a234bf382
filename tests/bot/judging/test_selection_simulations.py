"""Simulated windows: rules met, wrong verdicts asked about, and estimates that stay right. Fixed seeds.

The settings are those of simulations published for this kind of choice, see each test. Vectors are made by hand, or by
`local:/wordllama`.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare

from bot.judging.inclusion import draw, inclusion_probabilities
from bot.judging.near_copies import groups_of_copies
from bot.judging.novelty import CardVectors
from bot.judging.wrong_score import COPY_SCORE, WrongFeatures, wrong_score
from memalign.models import connect_embedder
from memalign.ports import Vector
from memalign.trace_neighbourhoods import Neighbourhood
from tests.factories import a_trace

RULES, ASKED, CANDIDATES, REPEATS = 40, 50, 8, 20
NO_CASES = Neighbourhood()
SCORES = (0.3, 0.1, 0.2, 0.05, 0.4, 0.6, 0.1, 0.02)

SUBJECTS = (
    "a refund for a cancelled order",
    "a parcel lost in the post",
    "a forgotten password",
    "an invoice with the wrong address",
    "a subscription renewed by mistake",
    "vaccines before travelling abroad",
    "the fever of a small child",
    "opening hours on public holidays",
    "delivery to an island",
    "a discount code that is refused",
    "a cracked phone screen",
    "a battery that drains over night",
    "a flight delayed by fog",
    "seats next to the window",
    "vegetarian meals on board",
    "a passport that expires soon",
    "visas for students",
    "mortgages with a fixed rate",
    "a stolen credit card",
    "an account locked after three tries",
    "train tickets for dogs",
    "bicycles on the ferry",
    "noise from the neighbours",
    "a water bill that is too high",
    "heating that does not start",
    "collection of garden waste",
    "a school place for my daughter",
    "a library fine for a late book",
    "parking permits for visitors",
    "the tax return of a freelancer",
    "my pension after moving abroad",
    "sick pay in the first week",
    "parental leave for fathers",
    "peanuts in a birthday cake",
    "pancakes without eggs",
    "spare parts for a dishwasher",
    "the warranty of a used laptop",
    "a software update that fails",
    "a printer with blank pages",
    "a concert moved to another hall",
)
QUESTIONS = (
    "How do you handle {}?",
    "Can you tell me about {}, please?",
    "I have a question on {}.",
    "Hello, what about {}?",
    "I need help with {}.",
    "Who decides on {}?",
)

Windows = Callable[[np.random.Generator], tuple[NDArray[np.int64], Sequence[Vector]]]
"""Draws a window's candidates: the rule that each is about, and its vector."""


@pytest.fixture(scope="module")
def questions() -> NDArray[np.float32]:
    """Vectors of short questions, of shape (rules, wordings, dimension)."""
    texts = [question.format(subject) for subject, question in product(SUBJECTS, QUESTIONS)]
    rows = asyncio.run(connect_embedder("local:/wordllama", 512).embed(texts)).vectors
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows.reshape(len(SUBJECTS), len(QUESTIONS), -1), dtype=np.float32)


def rules_met(windows: Windows, seed: int, *, by_novelty: bool) -> float:
    """The share of the rules that some card was about."""
    random = np.random.default_rng(seed)
    cards: list[Vector] = []
    met = set()
    for _ in range(ASKED):
        rules, vectors = windows(random)
        place = 0
        if by_novelty:
            known = CardVectors(cards)
            distances = [known.distance(vector, NO_CASES) for vector in vectors]
            scores = [
                COPY_SCORE if each.is_copy else wrong_score(WrongFeatures(novelty=each.novelty**2))
                for each in distances
            ]
            place = draw(scores, random.random()).place
        cards.append(vectors[place])
        met.add(int(rules[place]))
    return len(met) / RULES


def mean_met(windows: Windows, *, by_novelty: bool) -> float:
    return float(np.mean([rules_met(windows, seed, by_novelty=by_novelty) for seed in range(REPEATS)]))


def test_novelty_meets_more_rules_in_as_many_cards(questions: NDArray[np.float32]) -> None:
    """40 rules, 50 cards, one a window of 8 short questions; chance meets 1 - (39/40)^50 = .72 of them."""

    def windows(random: np.random.Generator) -> tuple[NDArray[np.int64], Sequence[Vector]]:
        rules = random.integers(RULES, size=CANDIDATES)
        return rules, [questions[rule, random.integers(len(QUESTIONS))] for rule in rules]

    assert mean_met(windows, by_novelty=False) == pytest.approx(0.72, abs=0.03)
    assert mean_met(windows, by_novelty=True) >= 0.85


def test_novelty_meets_rare_rules_where_few_topics_make_most_of_the_traffic(
    questions: NDArray[np.float32],
) -> None:
    shares = 1 / np.arange(1, RULES + 1)
    shares /= shares.sum()

    def windows(random: np.random.Generator) -> tuple[NDArray[np.int64], Sequence[Vector]]:
        rules = random.choice(RULES, size=CANDIDATES, p=shares)
        return rules, [questions[rule, random.integers(len(QUESTIONS))] for rule in rules]

    assert mean_met(windows, by_novelty=True) >= mean_met(windows, by_novelty=False) + 0.1


def test_novelty_does_no_harm_where_vectors_tell_nothing() -> None:
    def windows(random: np.random.Generator) -> tuple[NDArray[np.int64], Sequence[Vector]]:
        rows = random.normal(size=(CANDIDATES, 64)).astype(np.float32)
        return random.integers(RULES, size=CANDIDATES), list(
            rows / np.linalg.norm(rows, axis=1, keepdims=True)
        )

    chance = mean_met(windows, by_novelty=False)
    assert mean_met(windows, by_novelty=True) == pytest.approx(chance, abs=0.03)


def test_more_wrong_verdicts_are_asked_about_and_the_estimate_stays_right() -> None:
    """Scores of medium sharpness: chance asks about .18 wrong verdicts a card, the choice about .23."""
    random = np.random.default_rng(11)
    days, cards_a_day, wrong_share = 400, 30, 0.176
    found, estimates = [], []
    for _ in range(days):
        outcomes, weights = [], []
        for _ in range(cards_a_day):
            wrong = random.random(CANDIDATES) < wrong_share
            scores = 1 / (1 + np.exp(-random.normal(np.where(wrong, -0.9, -1.9), 1.0)))
            drawn = draw([float(score) for score in scores], random.random())
            outcomes.append(wrong[drawn.place])
            weights.append(1 / drawn.probability)
        found.append(np.mean(outcomes))
        estimates.append(np.average(outcomes, weights=weights))
    assert np.mean(found) >= 0.215
    assert np.mean(estimates) == pytest.approx(wrong_share, abs=0.01)
    assert np.sqrt(np.mean((np.array(estimates) - wrong_share) ** 2)) <= 0.08


def test_traces_are_chosen_as_often_as_their_stored_chances_say() -> None:
    """A chi-square test over a window with a group of three near copies, one of two, and three traces alone."""
    random = np.random.default_rng(17)
    directions = np.eye(5, dtype=np.float32)
    group_of = (0, 0, 0, 1, 1, 2, 3, 4)
    traces = [a_trace(f"tr-{place}") for place in range(len(group_of))]
    vectors = {trace.trace_id: directions[group] for trace, group in zip(traces, group_of, strict=True)}
    score_of = {trace.trace_id: score for trace, score in zip(traces, SCORES, strict=True)}
    runs = 8_000
    chosen = dict.fromkeys(vectors, 0)
    counted = dict.fromkeys(vectors, 0.0)
    expected = dict.fromkeys(vectors, 0.0)
    for _ in range(runs):
        groups = groups_of_copies(traces, vectors, "politeness", random.bytes(32))
        scores = [score_of[group.trace.trace_id] for group in groups]
        for group, chance in zip(groups, inclusion_probabilities(scores), strict=True):
            expected[group.trace.trace_id] += chance
        drawn = draw(scores, random.random())
        group = groups[drawn.place]
        chosen[group.trace.trace_id] += 1
        counted[group.trace.trace_id] += group.size / drawn.probability
    assert chisquare(list(chosen.values()), list(expected.values())).pvalue > 0.001
    # each trace stands for itself alone: counted by the inverse of its chance, there is one of each in a window
    assert [count / runs for count in counted.values()] == pytest.approx([1.0] * len(traces), abs=0.25)
