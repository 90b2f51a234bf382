"""No two figures of a digest contradict each other, whatever people say and however cards were picked."""

import json
import math
import re
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.blocks.digest import digest_message
from bot.blocks.digest_details import digest_figures_message
from bot.digest_words import headline_bounds
from bot.feedback import Feedback
from bot.records import Digest
from bot.reports.answered_weeks import AnsweredVerdict
from bot.reports.digest import compute_digest
from bot.vote_marks import Vote
from memalign.records import Label, Verdict
from memalign.value_types import ValueType, value_type_of
from storage.records import CardSelection, ShadowVerdict, StoredVerdict
from tests.bot.report_factory import a_report

JUDGE = "politeness"
TYPES: dict[str, tuple[ValueType, list[Label]]] = {
    "bool": (value_type_of(bool), [True, False]),
    "category": (value_type_of(["good", "fair", "bad"]), ["good", "fair", "bad"]),
    "numbers as categories": (value_type_of([1, 2, 3]), [1, 2, 3]),
    "int": (value_type_of(int, (1, 5)), [1, 2, 3, 4, 5]),
    "float": (value_type_of(float), [0.25, 0.5, 3.0]),
    "str": (value_type_of(str), ["curt", "kind", "long-winded"]),
}
CHANCES = [1.0, 0.5, 0.1, 1e-4]


Week = tuple[ValueType, list[AnsweredVerdict], Digest]


def votes(
    chance: Random, stored: StoredVerdict, value_type: ValueType, labels: list[Label]
) -> list[Feedback]:
    said: list[Feedback] = []
    value = stored.verdict.value
    others = [label for label in labels if label != value]
    for person in range(chance.randint(0, 4)):
        vote: Vote | None = chance.choice(["up", "up", "up", "down", "down", "unsure", None])
        named = others[0] if value_type.kind == "bool" else chance.choice([None, *others])
        said.append(
            Feedback(
                verdict_id=stored.verdict_id,
                trace_id=stored.verdict.trace_id,
                judge=JUDGE,
                person=f"U{person}",
                vote=vote,
                value=value if vote == "up" else named if vote == "down" else None,
                rationale="",
                time_ms=chance.randint(1, 5),
                blind_value=chance.choice([None, *labels]) if stored.is_blind and vote else None,
            )
        )
    return said


def a_week(seed: int) -> Week:
    """A week of some judge: few verdicts or many, agreed on or not, picked alike or not."""
    chance = Random(seed)
    value_type, labels = TYPES[chance.choice(sorted(TYPES))]
    chances = chance.choice([CHANCES, [0.1]])
    shadows = [(), *((ShadowVerdict(kind="base", value=label),) for label in labels)]
    usual = chance.choice([0.0, 0.5, 1.0])
    verdicts: list[AnsweredVerdict] = []
    for number in range(chance.choice([0, 1, 5, 12, 30, 60])):
        value = labels[0] if chance.random() < usual else chance.choice(labels)
        stored = StoredVerdict(
            verdict_id=f"v-{number}",
            verdict=Verdict(judge=JUDGE, trace_id=f"tr-{number}", value=value, rationale="so"),
            judged_ms=number,
            channel="C1",
            selection=CardSelection(probability=chance.choice(chances)),
            shadows=chance.choice(shadows),
            resembles_case=chance.random() < 0.5,
            is_blind=chance.random() < 0.3,
        )
        said = votes(chance, stored, value_type, labels)
        if usual == 1:  # a week in which nobody disagrees
            said = [replace(each, vote="up", value=value) if each.vote == "down" else each for each in said]
        verdicts.append((stored, said))
    return value_type, verdicts, compute_digest(JUDGE, "2026-W47", value_type, verdicts, [], shown=80)


def within(low: float | None, value: float | None, high: float | None) -> bool:
    """All three or none, in order."""
    if low is None or value is None or high is None:
        return low is value is high is None
    return low <= value <= high


@given(st.integers(0, 10**9))
@settings(max_examples=300, deadline=None)
def test_no_two_figures_contradict_each_other(seed: int) -> None:
    value_type, verdicts, week = a_week(seed)
    assert week.answered == week.n + week.split + week.unsure
    assert week.answered == sum(any(each.vote for each in said) for _, said in verdicts)
    assert 0 <= week.agreed <= week.n
    assert week.unnamed <= week.answered
    assert within(week.wilson_low, week.agreement, week.wilson_high)
    assert within(week.weighted_low, week.weighted_agreement, week.weighted_high)
    assert (week.agreement is None) == (week.weighted_agreement is None) == (week.n == 0)
    # all agree, or none does, whatever the weights
    assert (week.weighted_agreement == 1) == (week.n > 0 and week.agreed == week.n)
    assert (week.weighted_agreement == 0) == (week.n > 0 and week.agreed == 0)
    assert within(week.kappa_low, week.kappa, week.kappa_high)
    assert (week.kappa is None) == (week.ac1 is None)
    for coefficient in (week.kappa, week.ac1, week.weighted_kappa):
        assert coefficient is None or math.isclose(coefficient, 1) == (week.agreed == week.n)
    assert week.n >= 20 or (week.kappa, week.ac1, week.weighted_kappa) == (None, None, None)
    assert within(*_around(week.weighted_kappa_bounds, week.weighted_kappa))
    if week.mean_absolute_error is not None:
        assert (week.mean_absolute_error == 0) == (week.agreed == week.n)
    if week.table is not None:
        table = week.table
        assert sum(table.values()) == week.n
        assert table["judge_pass_people_pass"] + table["judge_fail_people_fail"] == week.agreed
    assert (week.table is not None) == (value_type.kind == "bool")
    _check_blind(week, verdicts)
    _check_shadows(week)
    assert "NaN" not in json.dumps(week.as_json())


def _around(
    bounds: tuple[float, float] | None, value: float | None
) -> tuple[float | None, float | None, float | None]:
    low, high = bounds or (None, None)
    return low, value, high


def _check_blind(week: Digest, verdicts: list[AnsweredVerdict]) -> None:
    blind = week.blind
    if blind is None:
        return
    assert 0 < blind.n <= sum(stored.is_blind for stored, _ in verdicts)
    assert blind.n + blind.anchored_n <= week.answered
    assert blind.agreed <= blind.n
    assert blind.anchored_agreed <= blind.anchored_n
    assert within(blind.low, blind.agreement, blind.high)
    assert within(blind.effect_low, blind.effect, blind.effect_high)
    assert (blind.effect is None) == (blind.anchored_n == 0)


def _check_shadows(week: Digest) -> None:
    comparison = week.against_base
    if comparison is None:
        return
    for part in (comparison.all, comparison.new, comparison.seen_before):
        assert part.right_now - part.right_then == part.fixed - part.broken
        assert part.fixed + part.broken <= part.n
    assert comparison.all.n == comparison.new.n + comparison.seen_before.n <= week.n
    assert comparison.all.right_now <= week.agreed


@given(st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_sentences_claim_no_more_than_the_figures(seed: int) -> None:
    *_, week = a_week(seed)
    report = a_report(week)
    text = digest_message(report).text + "\n" + digest_figures_message(report).text
    pattern = (
        r"(\d+)%(?: agreement\*?)?(?:, | \((?:\d+ of \d+, )?)likely (?:between )?(\d+)%?(?:–| and )(\d+)%"
    )
    shares = [tuple(map(int, found)) for found in re.findall(pattern, text)]
    assert all(low <= share <= high for share, low, high in shares)
    assert len(re.findall(r"\d%", re.sub(pattern, "", text))) == 0, "no share without its interval"
    if week.n < 10 and week.single_votes is None:
        assert shares == []
    if headline_bounds(week) is not None:
        assert (shares[0][0] == 100) == (week.agreed == week.n)
        assert (shares[0][0] == 0) == (week.agreed == 0)
    assert [each for each in re.split(r"[.;:] |\n", text) if len(each.split()) > 25] == []
