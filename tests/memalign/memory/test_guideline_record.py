import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from scipy.special import betainc

from memalign.memory.beta_posterior import is_doubtful, posterior_mean, probability_below_half
from memalign.memory.episode_log import EpisodeLog
from memalign.memory.episodic import EpisodicMemory
from memalign.memory.guideline_merge import merge
from memalign.memory.guideline_record import GuidelineRecords, with_record
from memalign.memory.semantic import SemanticMemory
from memalign.memory.state import MemoryState
from memalign.records import CaseVerdict, Episode, Guideline, GuidelineRecord, Handling, PersonLabel
from tests.factories import a_guideline, an_episode

RULE, OTHER = a_guideline("Greet the user.", guideline_id="g-1"), a_guideline("Be brief.", guideline_id="g-2")


def cited(
    trace_id: str, *guideline_ids: str, up: int = 0, down: int = 0, judged_ms: int = 0, time_ms: int = 0
) -> Episode:
    """A case with a verdict that these guidelines led to, and so many votes for it and against it."""
    labels = [True] * up + [False] * down
    opinions = [
        PersonLabel(person=f"person-{place}", value=label, time_ms=time_ms)
        for place, label in enumerate(labels)
    ]
    label = up >= down
    return replace(
        an_episode(trace_id, label),
        opinions=tuple(each for each in opinions if each.value == label),
        minority=tuple(each for each in opinions if each.value != label),
        verdict=CaseVerdict(value=True, judged_ms=judged_ms, guideline_ids=guideline_ids),
    )


def by_id(*episodes: Episode) -> Mapping[str, Episode]:
    return {episode.trace_id: episode for episode in episodes}


def record_of(rule: Guideline, *episodes: Episode, others: tuple[Guideline, ...] = ()) -> GuidelineRecord:
    return GuidelineRecords.of(by_id(*episodes), [rule, *others]).record(rule.id)


@pytest.mark.parametrize("seed", range(20))
def test_the_probability_is_that_of_the_beta_distribution(seed: int) -> None:
    chance = random.Random(seed)
    record = GuidelineRecord(up=chance.randrange(300), down=chance.randrange(300))

    assert probability_below_half(record) == pytest.approx(betainc(2 + record.up, 1 + record.down, 0.5))
    assert posterior_mean(record) == (2 + record.up) / (3 + record.up + record.down)


@pytest.mark.parametrize(
    ("up", "down", "doubtful"), [(0, 0, False), (0, 4, False), (0, 5, True), (1, 6, True), (9, 9, False)]
)
def test_a_rule_is_in_doubt_when_it_is_almost_surely_wrong_more_often_than_right(
    up: int, down: int, doubtful: bool
) -> None:
    records = GuidelineRecords.of(by_id(cited("tr-1", "g-1", up=up, down=down)), [RULE])

    rule = with_record(RULE, records)

    assert (rule.doubtful, rule.record) == (doubtful, GuidelineRecord(up=up, down=down))


def test_votes_of_the_minority_count_and_verdicts_that_cite_nothing_do_not() -> None:
    episodes = (cited("tr-1", "g-1", up=2, down=1), cited("tr-2", up=1), an_episode("tr-3"))

    assert record_of(RULE, *episodes) == GuidelineRecord(up=2, down=1)
    assert record_of(OTHER, *episodes) == GuidelineRecord()


def test_a_rule_gets_the_votes_of_those_it_stands_for_and_a_verdict_that_cites_both_counts_once() -> None:
    both = merge(RULE, OTHER, ())
    episodes = (cited("tr-1", "g-1", "g-2", down=1), cited("tr-2", "g-2", up=1))

    assert record_of(both, *episodes) == GuidelineRecord(up=1, down=1)


def test_a_record_that_started_anew_counts_later_verdicts_alone() -> None:
    decided = replace(RULE, record_since_ms=100)
    old, new = cited("tr-1", "g-1", down=6, judged_ms=100), cited("tr-2", "g-1", up=1, judged_ms=101)
    undated = [cited(f"tr-{time}", "g-1", down=1, time_ms=time) for time in (0, 90, 110)]

    assert record_of(decided, old, new, *undated) == GuidelineRecord(up=1, down=1)


@pytest.mark.parametrize("seed", range(30))
def test_counting_changes_comes_to_the_same_as_counting_all(seed: int) -> None:
    chance = random.Random(seed)
    ids = [f"g-{number}" for number in range(6)]
    before, records = EpisodeLog(), GuidelineRecords()
    for _ in range(30):
        rules = [a_guideline(each, guideline_id=each) for each in ids]
        rules = [replace(rule, record_since_ms=chance.choice([0, 0, 0, 40])) for rule in rules]
        if chance.random() < 0.5:
            rules = [merge(rules[0], merge(rules[1], rules[2], ()), ()), *rules[3:]]
        put = [
            cited(
                f"tr-{chance.randrange(12)}",
                *chance.sample(ids, chance.randrange(4)),
                up=chance.randrange(3),
                down=chance.randrange(3),
                judged_ms=chance.randrange(80),
            )
        ]
        drop = chance.sample(list(before), min(len(before), chance.randrange(3)))
        after = before.changed(put, drop)
        touched = {*drop, *(episode.trace_id for episode in put)}
        records = records.changed(before, after, touched, rules)
        before = after

        counted = GuidelineRecords.of(after, rules)
        assert [records.record(each) for each in ids] == [counted.record(each) for each in ids]


def state_with(*rules: Guideline) -> MemoryState:
    empty = MemoryState.empty("politeness", binary=True)
    return empty.next(EpisodicMemory(), SemanticMemory().with_guidelines(rules), ())


def with_cases(state: MemoryState, *episodes: Episode) -> MemoryState:
    return state.with_episodes(put=episodes, retracted=(), lost=(), vectors={}, undistilled=())


def test_a_rule_in_doubt_is_pending_until_the_votes_go_and_one_that_is_pinned_is_only_marked() -> None:
    bad = [cited(f"case-{number}", "g-1", down=1) for number in range(7)]

    state = with_cases(state_with(RULE, OTHER), *bad)
    pinned = with_cases(state_with(replace(RULE, pinned_by=Handling(person="zoe"))), *bad).guideline("g-1")

    rule = state.guideline("g-1")
    assert (rule.state, rule.doubtful, rule.lacks, rule.record.down) == ("pending", True, ("agreement",), 7)
    assert state.semantic.in_use == (state.guideline("g-2"),)
    assert (pinned.state, pinned.doubtful) == ("used", True)
    forgotten = state.without_traces([f"case-{number}" for number in range(5)]).guideline("g-1")
    assert (forgotten.state, forgotten.doubtful, forgotten.record) == (
        "used",
        False,
        GuidelineRecord(down=2),
    )


def test_changes_to_the_record_alone_are_not_written_and_doubt_is() -> None:
    state = with_cases(state_with(RULE), *[cited(f"tr-{number}", "g-1", down=1) for number in range(4)])
    again = with_cases(state, cited("tr-9", "g-1", up=1))
    doubtful = with_cases(state, cited("tr-9", "g-1", down=1))

    assert again.change_from(state).put_guidelines == ()
    assert [rule.doubtful for rule in doubtful.change_from(state).put_guidelines] == [True]


def test_of_a_thousand_good_rules_none_is_ever_marked_and_wrong_ones_are_after_a_handful_of_votes() -> None:
    chance = random.Random(5)

    def first_doubt(share_right: float, votes: int) -> int | None:
        """The number of votes after which a rule is marked, looked at after each vote."""
        up = 0
        for number in range(1, votes + 1):
            up += chance.random() < share_right
            if is_doubtful(GuidelineRecord(up=up, down=number - up)):
                return number
        return None

    good = [first_doubt(chance.uniform(0.85, 0.92), 40) for _ in range(1_000)]
    wrong = sorted(first_doubt(0.12, 40) or 99 for _ in range(1_000))

    assert [each for each in good if each] == []
    assert wrong[500] <= 7
    assert sum(each <= 10 for each in wrong) >= 850
