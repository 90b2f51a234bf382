"""The loop of a judge (judge, align, judge, unalign, judge) against each kind of server, by the services' own SDKs."""

from memalign import AlignedJudge, MemAlignOptimizer, make_judge
from memalign.judges import AlignableJudge
from tests.factories import a_trace, a_vote
from tests.model_dialects import DRAFT_RATIONALE, DRAFT_RULE
from tests.model_server import ModelServer

INSTRUCTIONS = "Is the answer polite? Question: {{ inputs }} Answer: {{ outputs }}"
RULES = ("thanks are kind", "shouting is rude")


def a_judge(server: ModelServer) -> AlignableJudge:
    return make_judge("politeness", INSTRUCTIONS, server.dialect.model, feedback_value_type=bool)


def align(server: ModelServer, judge: AlignableJudge) -> AlignedJudge:
    optimizer = MemAlignOptimizer(
        reflection_lm=server.dialect.model, embedding_model="openai:/e", embedding_dim=64
    )
    traces = [a_trace(f"tr-{n}", a_vote(n % 2 == 0, rule)) for n, rule in enumerate(RULES)]
    return judge.align(traces, optimizer)


def test_the_final_answer_is_the_verdict(dialect_server: ModelServer) -> None:
    verdict = a_judge(dialect_server)(inputs="Hello", outputs="What?")

    assert (verdict.value, verdict.rationale) == (False, "simulated")
    assert verdict.usage.calls >= 1


def test_a_judge_learns_judges_and_forgets(dialect_server: ModelServer) -> None:
    learned = align(dialect_server, a_judge(dialect_server))

    assert learned.report.pending == {}
    assert [rule.text for rule in learned.guidelines] == list(RULES)
    verdict = learned(inputs="question tr-0", outputs="answer tr-0")
    assert (verdict.value, verdict.rationale) == (False, "simulated")
    assert set(verdict.retrieved_trace_ids) == {"tr-0", "tr-1"}

    shorter = learned.unalign(["tr-0"])

    assert [rule.text for rule in shorter.guidelines] == [RULES[1]]
    assert shorter(inputs="question tr-0", outputs="answer tr-0").retrieved_trace_ids == ("tr-1",)


def test_no_draft_reaches_the_memory(dialect_server: ModelServer) -> None:
    learned = align(dialect_server, a_judge(dialect_server))
    verdict = learned(inputs="Hello", outputs="What?")

    assert DRAFT_RULE not in learned.instructions
    assert DRAFT_RATIONALE not in verdict.rationale
