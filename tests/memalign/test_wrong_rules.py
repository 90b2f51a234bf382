"""A fifth of the guidelines is wrong: people's votes on the verdicts that these led to bring the accuracy back."""

import random
from dataclasses import replace

from memalign.judge_memory import JudgeMemory
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Trace
from tests.factories import a_memory, a_trace, a_vote

THINGS = [f"thing{number}" for number in range(100)]
WRONG = frozenset(THINGS[::5])
MISREAD_RECORDS = 0.12
"""Share of records that the judge judges the other way round, whatever leads it."""
UNSEEN_CASES = 2
"""Of each thing."""


class CitingJudge:
    """Follows the guidelines on a record's thing and names them; without any, does as most similar cases on it."""

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        thing, evidence = str(request.fields["outputs"]), request.evidence
        followed = [rule for rule in evidence.guidelines if thing in rule.text.split()]
        cases = [case.episode for case in evidence.retrieved if case.episode.fields["outputs"] == thing]
        values = ["good" in rule.text for rule in followed] or [bool(case.label) for case in cases]
        is_misread = random.Random(f"seed 1, {request.trace_id}").random() < MISREAD_RECORDS
        return JudgeResponse(
            value=(sum(values) * 2 > len(values)) != is_misread,
            rationale="",
            guideline_ids=tuple(rule.id for rule in followed),
            shown_guideline_ids=tuple(rule.id for rule in evidence.guidelines),
        )


def is_right(thing: str) -> bool:
    return int(thing.removeprefix("thing")) % 2 == 0


def about(thing: str, trace_id: str) -> Trace:
    return a_trace(trace_id, inputs=thing, outputs=thing)


async def taught(*, wrong: frozenset[str]) -> JudgeMemory:
    memory = await a_memory(judge_model=CitingJudge(), retrieval_k=9, guideline_tokens=8_000)
    reasons = {thing: "good" if is_right(thing) != (thing in wrong) else "bad" for thing in THINGS}
    await memory.learn(
        replace(
            about(thing, f"taught-{thing}"),
            assessments=(a_vote(word == "good", f"To promise {thing} is {word}", "ana"),),
        )
        for thing, word in reasons.items()
    )
    return memory


async def accuracy(memory: JudgeMemory) -> float:
    unseen = {f"unseen-{number}-{thing}": thing for thing in THINGS for number in range(UNSEEN_CASES)}
    values = {
        trace_id: (await memory.judge(about(thing, trace_id))).value for trace_id, thing in unseen.items()
    }
    return sum(values[trace_id] == is_right(thing) for trace_id, thing in unseen.items()) / len(unseen)


async def voted_on(memory: JudgeMemory, number: int) -> None:
    """Judge a card on each thing, and let ben vote on it without a reason."""
    cards = []
    for thing in THINGS:
        card = about(thing, f"card-{number}-{thing}")
        verdict = await memory.judge(card)
        said = replace(
            a_vote(verdict.value, None, "judge", source_type="LLM_JUDGE"), guideline_ids=verdict.guideline_ids
        )
        cards.append(replace(card, assessments=(said, a_vote(is_right(thing), None, "ben"))))
    await memory.learn(cards)


async def test_after_ten_votes_a_rule_the_judge_is_as_right_as_if_all_rules_were_good() -> None:
    all_good = await accuracy(await taught(wrong=frozenset()))
    memory = await taught(wrong=WRONG)
    before = await accuracy(memory)

    for number in range(10):
        await voted_on(memory, number)

    doubted = {rule.text.split()[2] for rule in memory.guidelines if rule.doubtful}
    assert all_good - before > 0.1
    assert await accuracy(memory) >= all_good - 0.02
    assert doubted <= WRONG
    assert len(doubted) >= 0.8 * len(WRONG)
