"""A window's card among its candidates: chances, near copies, second opinions, the budget, and what fails."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from bot.judging.chosen_card import CandidateTrace, ChosenCard
from bot.runtime.clock import now_ms
from memalign.errors import ContentRefusedError, InputError, ModelUnavailableError, RequestFailedError
from memalign.judge_memory import JudgeMemory
from memalign.ports import JudgeRequest, JudgeResponse
from memalign.records import Trace
from memalign.trial.call_budget import FixedBudget
from storage.database import Database
from storage.records import CardSelection, NewCard, ShadowVerdict
from tests.bot.judging.choosers import BaseJudge, a_chooser
from tests.factories import a_judge, a_memory, a_trace, a_vote
from tests.fakes import FakeEmbedder, FakeJudgeModel

JUDGE = "politeness"
LLM = "openai:/gpt-5-mini"
TOPICS = ("refund", "parcel", "password", "invoice", "visa", "mortgage", "recipe", "battery")


class JudgeByTrace(FakeJudgeModel):
    """Fails at some traces, led by some guidelines."""

    def __init__(self, errors: Mapping[str, Exception] | None = None) -> None:
        super().__init__(True)
        self.errors = errors or {}
        self.cited: Mapping[str, tuple[str, ...]] = {}
        """By trace id, the guidelines that lead it."""

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        self.requests.append(request)
        if (error := self.errors.get(str(request.trace_id))) is not None:
            raise error
        return JudgeResponse(
            value=True, rationale="because", guideline_ids=self.cited.get(str(request.trace_id), ())
        )

    @property
    def judged(self) -> list[str]:
        return [str(request.trace_id) for request in self.requests]


class Choosing:
    """A chooser on a store, with a judge of a fake model."""

    def __init__(self, database: Database, memory: JudgeMemory, rate: float = 1.0) -> None:
        self.database = database
        self.memory = memory
        self.base = BaseJudge()
        self.budget = FixedBudget(1_000_000)
        self.rate = rate
        self.gone: set[str] = set()
        """Traces that are forgotten, or let go."""

    async def is_candidate(self, trace_id: str, _judge: str) -> bool:
        return trace_id not in self.gone

    async def choose(self, *traces: Trace, seen: int | None = None) -> ChosenCard:
        memories = {JUDGE: self.memory}
        chooser = a_chooser(
            self.database, memories, budget=self.budget, base=self.base, is_candidate=self.is_candidate
        )
        candidates = [CandidateTrace(trace=trace, rate=self.rate) for trace in traces]
        return await chooser.choose(JUDGE, candidates, len(traces) if seen is None else seen)

    async def show(self, trace: Trace) -> None:
        """Put a trace on a card now."""
        await self.database.traces.add([(trace, [JUDGE])], now_ms(), 1000)
        verdict = await self.memory.judge(trace)
        await self.database.verdicts.keep(verdict, channel="C1", judged_ms=now_ms(), day="2026-11-20")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path / "store") as opened:
        yield opened


async def choosing(database: Database, model: FakeJudgeModel | None = None, rate: float = 1.0) -> Choosing:
    memory = await a_memory(a_judge(model=LLM), judge_model=model or JudgeByTrace(), store=database.memories)
    return Choosing(database, memory, rate)


def on(topic: str, number: int = 0) -> Trace:
    """A trace on a topic, whose words hardly differ from others on it."""
    words = " ".join(f"{topic}{place}" for place in range(6))
    return a_trace(f"{topic}-{number}", inputs=f"{words} n{number}", outputs=f"{words} m{number}")


def copies(name: str, number: int) -> list[Trace]:
    return [a_trace(f"{name}-{place}", inputs=f"the same {name}", outputs=name) for place in range(number)]


async def test_a_lone_trace_of_a_window_is_shown_as_all_are(database: Database) -> None:
    window = await choosing(database)
    chosen = await window.choose(on("refund"))
    assert (chosen.selection.reason, chosen.selection.probability) == ("all", 1.0)
    assert window.base.asked == [], "there is nothing to choose"


@pytest.mark.parametrize(
    ("rate", "seen", "probability"), [(0.25, 1, 0.25), (1.0, 40, 0.025), (0.5, 10, 0.05)]
)
async def test_the_chance_counts_the_rate_and_the_traces_that_were_no_candidates(
    database: Database, rate: float, seen: int, probability: float
) -> None:
    window = await choosing(database, rate=rate)
    selection = (await window.choose(on("refund"), seen=seen)).selection
    assert selection.probability == pytest.approx(probability)
    assert selection.reason == "random"


async def test_the_same_window_is_given_the_same_card_after_a_crash(database: Database) -> None:
    traces = [on(topic) for topic in TOPICS]
    first = await (await choosing(database)).choose(*traces)
    again = await (await choosing(database)).choose(*reversed(traces))
    assert (again.verdict.trace_id, again.selection) == (first.verdict.trace_id, first.selection)


async def test_half_of_the_candidates_get_a_second_opinion(database: Database) -> None:
    window = await choosing(database)
    await window.choose(*map(on, TOPICS))
    assert len(window.base.asked) == len(set(window.base.asked)) == 4


async def test_the_second_opinion_on_the_card_is_kept_beside_it(database: Database) -> None:
    window = await choosing(database)
    kept = set()
    for number in range(30):
        chosen = await window.choose(*(on(topic, number) for topic in TOPICS))
        asked = chosen.verdict.trace_id in window.base.asked
        kept.add(asked)
        expected = (ShadowVerdict(kind="base", value=True),) if asked else ()
        assert chosen.shadows == expected
    assert kept == {True, False}


async def test_a_candidate_is_embedded_once_and_judged_once(database: Database) -> None:
    embedder, model = FakeEmbedder(), JudgeByTrace()
    memory = await a_memory(a_judge(model=LLM), embedder=embedder, judge_model=model, store=database.memories)
    await Choosing(database, memory).choose(*map(on, TOPICS))
    assert sorted(model.judged) == sorted(on(topic).trace_id for topic in TOPICS)
    assert len(embedder.texts) == len(set(embedder.texts)) == 2 * len(TOPICS)


async def test_only_the_chosen_one_leaves_its_vector_in_the_store(database: Database) -> None:
    window = await choosing(database)
    traces = [on(topic) for topic in TOPICS]
    chosen = await window.choose(*traces)
    later = await a_memory(a_judge(model=LLM), store=database.memories)
    assert set(await later.neighbourhoods.known_vectors(traces)) == {chosen.verdict.trace_id}


@pytest.mark.parametrize(("calls", "judged"), [(0, 1), (2, 3), (7, 8), (100, 8)])
async def test_the_budget_bounds_the_candidates_that_are_judged(
    database: Database, calls: int, judged: int
) -> None:
    model = JudgeByTrace()
    window = await choosing(database, model)
    window.budget = FixedBudget(calls)
    chosen = await window.choose(*map(on, TOPICS))
    assert len(model.judged) == judged
    assert 0 < chosen.selection.probability <= judged / len(TOPICS)


async def test_without_budget_each_candidate_has_the_same_chance(database: Database) -> None:
    window = await choosing(database)
    window.budget = FixedBudget(0)
    chosen = await window.choose(*map(on, TOPICS), seen=80)
    assert chosen.selection.reason == "random"
    assert chosen.selection.probability == pytest.approx(1 / 80)


async def test_near_copies_are_judged_once(database: Database) -> None:
    model = JudgeByTrace()
    window = await choosing(database, model)
    await window.choose(*copies("greeting", 6), on("refund"))
    assert len(model.judged) == 2


@pytest.mark.parametrize(
    "error", [ContentRefusedError("refused"), InputError("nothing to judge")], ids=["refused", "lacks"]
)
async def test_a_candidate_that_cannot_be_judged_leaves_the_choice_to_the_others(
    database: Database, error: Exception
) -> None:
    model = JudgeByTrace({on("refund").trace_id: error})
    window = await choosing(database, model)
    chosen = await window.choose(on("refund"), on("parcel"))
    assert chosen.verdict.trace_id == on("parcel").trace_id


class JudgeWhileOthersForget(JudgeByTrace):
    """While it judges the first trace, others are forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.forget: Callable[[str], None] = lambda _first: None

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        if not self.requests:
            self.forget(str(request.trace_id))
        return await super().decide(request)


@pytest.mark.parametrize("is_first_gone", [True, False])
async def test_a_candidate_forgotten_meanwhile_reaches_no_model_and_leaves_the_choice_to_the_others(
    database: Database, is_first_gone: bool
) -> None:
    model = JudgeWhileOthersForget()
    window = await choosing(database, model)
    names = [on(topic).trace_id for topic in TOPICS]

    def forget(first: str) -> None:
        gone = [first] if is_first_gone else [each for each in names if each != first][:5]
        window.gone.update(gone)

    model.forget = forget
    chosen = await window.choose(*map(on, TOPICS))
    assert chosen.verdict.trace_id not in window.gone
    assert window.gone.isdisjoint([*model.judged[1:], *window.base.asked])
    assert len(model.judged) == (8 if is_first_gone else 3)


async def test_a_window_whose_traces_are_all_forgotten_asks_no_model(database: Database) -> None:
    model = JudgeByTrace()
    window = await choosing(database, model)
    window.gone.update(on(topic).trace_id for topic in TOPICS)
    with pytest.raises(InputError):
        await window.choose(*map(on, TOPICS))
    assert model.judged == []


@pytest.mark.parametrize("attempts", [1, 10])
async def test_a_model_that_is_down_uses_up_no_budget(database: Database, attempts: int) -> None:
    down = ModelUnavailableError("down")
    window = await choosing(database, JudgeByTrace({on(topic).trace_id: down for topic in TOPICS}))
    window.budget = FixedBudget(7)
    for _ in range(attempts):
        with pytest.raises(ModelUnavailableError):
            await window.choose(*map(on, TOPICS))
    assert window.budget.left == 7


async def test_another_candidate_is_judged_where_the_budgets_last_one_is_refused(database: Database) -> None:
    refused = {on(topic).trace_id: ContentRefusedError("refused") for topic in TOPICS[1:]}
    window = await choosing(database, JudgeByTrace(refused))
    window.budget = FixedBudget(0)
    chosen = await window.choose(*map(on, TOPICS))
    assert chosen.verdict.trace_id == on(TOPICS[0]).trace_id


async def test_a_window_waits_for_a_model_that_is_down(database: Database) -> None:
    down = ModelUnavailableError("down")
    model = JudgeByTrace({on(topic).trace_id: down for topic in TOPICS})
    window = await choosing(database, model)
    with pytest.raises(ModelUnavailableError):
        await window.choose(*map(on, TOPICS))
    assert len(model.judged) == 1


STUMBLE = RequestFailedError("It does not answer now.", blame="It fails at this trace.")


@pytest.mark.parametrize("topic", TOPICS)
async def test_a_candidate_at_which_the_service_always_fails_holds_up_no_window(
    database: Database, topic: str
) -> None:
    model = JudgeByTrace({on(topic).trace_id: STUMBLE})
    chosen = await (await choosing(database, model)).choose(*map(on, TOPICS))
    assert chosen.verdict.trace_id != on(topic).trace_id
    assert len(model.judged) == len(TOPICS)


async def test_a_service_that_fails_at_two_candidates_is_left_alone(database: Database) -> None:
    model = JudgeByTrace({on(topic).trace_id: STUMBLE for topic in TOPICS})
    with pytest.raises(ModelUnavailableError):
        await (await choosing(database, model)).choose(*map(on, TOPICS))
    assert len(model.judged) == 2


async def test_a_window_whose_candidates_are_all_refused_says_so(database: Database) -> None:
    model = JudgeByTrace({on(topic).trace_id: ContentRefusedError("refused") for topic in TOPICS})
    with pytest.raises(ContentRefusedError):
        await (await choosing(database, model)).choose(*map(on, TOPICS))


async def test_candidates_are_chosen_by_chance_where_they_cannot_be_embedded(database: Database) -> None:
    embedder = FakeEmbedder()
    embedder.down = True
    memory = await a_memory(a_judge(model=LLM), embedder=embedder, store=database.memories)
    chosen = await Choosing(database, memory).choose(*map(on, TOPICS))
    assert chosen.selection.reason == "random"
    assert 0.05 < chosen.selection.probability < 0.2


async def test_a_copy_of_a_learned_case_is_marked(database: Database) -> None:
    window = await choosing(database)
    learned, again = copies("greeting", 2)
    await window.memory.learn(
        [a_trace(learned.trace_id, a_vote(), inputs=learned.inputs, outputs="greeting")]
    )
    assert (await window.choose(again)).resembles_case
    assert not (await window.choose(on("refund"))).resembles_case


async def shares(
    window: Choosing, candidates: Callable[[int], Sequence[Trace]], runs: int
) -> dict[str, list[CardSelection]]:
    """The selections of many windows, by the topic of the trace that was chosen."""
    chosen: dict[str, list[CardSelection]] = {}
    for run in range(runs):
        card = await window.choose(*candidates(run))
        topic = card.verdict.trace_id.partition("-")[0]
        chosen.setdefault(topic, []).append(card.selection)
    return chosen


async def test_what_was_never_seen_is_chosen_more_often_and_says_why(database: Database) -> None:
    window = await choosing(database)
    for number in range(12):
        await window.show(on(f"topic{number}", 1000))
    chosen = await shares(window, lambda run: [on("topic3", run), on("parcel", run)], 60)
    assert min(each.probability for each in chosen["parcel"]) > 0.65
    assert Counter(each.reason for each in chosen["parcel"])["unlike"] > 10
    assert {each.reason for each in chosen["topic3"]} == {"random"}


async def test_a_new_topic_is_new_until_its_first_card(database: Database) -> None:
    window = await choosing(database)
    for number in range(12):
        await window.show(on(f"topic{number}", 1000))
    before = await shares(window, lambda run: [on("topic3", run), on("parcel", run)], 20)
    await window.show(on("parcel", 1000))
    after = await shares(window, lambda run: [on("topic3", run), on("parcel", run)], 20)
    assert min(each.probability for each in before["parcel"]) > 0.65
    assert max(each.probability for each in after["parcel"]) < 0.6
    assert "unlike" not in {each.reason for each in after["parcel"]}


async def test_a_copy_of_a_recent_card_is_chosen_by_chance_alone(database: Database) -> None:
    window = await choosing(database)
    await window.show(copies("greeting", 1)[0])
    chosen = await window.choose(*copies("greeting", 3)[1:2], on("parcel"))
    expected = 0.2 if chosen.verdict.trace_id.startswith("greeting") else 0.8
    assert chosen.selection.probability == pytest.approx(expected, abs=0.01)


async def test_a_second_opinion_that_differs_draws_the_card_and_is_its_reason(database: Database) -> None:
    window = await choosing(database)
    for topic in TOPICS:
        await window.show(on(topic, 1000))
    window.base = BaseJudge({on("refund", number).trace_id: False for number in range(200)})
    chosen = await shares(window, lambda run: [on(topic, run) for topic in TOPICS], 100)
    reasons = Counter(each.reason for each in chosen["refund"])
    assert reasons["disagreement"] > 0
    assert all("disagreement" not in {e.reason for e in chosen.get(topic, [])} for topic in TOPICS[1:])


async def test_people_who_differ_on_similar_cases_are_a_reason(database: Database) -> None:
    window = await choosing(database)
    split = [a_vote(False), a_vote(False, person="ben"), a_vote(True, person="eve")]
    for topic in TOPICS:
        known = on(topic, 1000)
        votes = split if topic == "refund" else [a_vote(True)]
        await window.memory.learn(
            [a_trace(known.trace_id, *votes, inputs=known.inputs, outputs=known.outputs)]
        )
    chosen = await shares(window, lambda run: [on("refund", run), on("visa", run), on("recipe", run)], 60)
    assert Counter(each.reason for each in chosen["refund"])["dissent"] > 0
    assert "dissent" not in {each.reason for topic in ("visa", "recipe") for each in chosen[topic]}


async def test_a_new_rule_that_led_the_judge_is_a_reason(database: Database) -> None:
    model = JudgeByTrace()
    window = await choosing(database, model)
    for topic in ("refund", "parcel"):
        case = on(topic, 1000)
        await window.memory.learn(
            [a_trace(case.trace_id, a_vote(True, f"Thank for a {topic}."), inputs=case.inputs, outputs="ok")]
        )
    model.cited = {on("refund", run).trace_id: (window.memory.guidelines[0].id,) for run in range(60)}
    chosen = await shares(window, lambda run: [on("refund", run), on("parcel", run)], 60)
    assert Counter(each.reason for each in chosen["refund"])["new_rule"] > 0
    assert "new_rule" not in {each.reason for each in chosen["parcel"]}


async def test_the_inverse_of_the_stored_chances_counts_the_traces_there_were(database: Database) -> None:
    """Horvitz and Thompson: chosen traces, each counted 1 / probability times, add up to all, of each kind."""
    window = await choosing(database, rate=1.0)
    await window.show(on("refund", 10_000))
    runs, kinds = 300, {"greeting": 3, "refund": 2, "parcel": 1, "visa": 1}

    def candidates(run: int) -> list[Trace]:
        group = [
            a_trace(f"greeting-{run}-{place}", inputs="the same greeting", outputs="hello")
            for place in range(3)
        ]
        return [*group, on("refund", run), on("refund", 5_000 + run), on("parcel", run), on("visa", run)]

    chosen = await shares(window, candidates, runs)
    for kind, number in kinds.items():
        weights = [1 / each.probability for each in chosen[kind]]
        spread = sum(weight**2 for weight in weights) ** 0.5
        assert sum(weights) == pytest.approx(runs * number, abs=5 * spread), kind


async def test_a_window_is_given_a_card_that_is_stored_with_its_reason(database: Database) -> None:
    window = await choosing(database)
    traces = [on(topic) for topic in TOPICS]
    await database.traces.add([(trace, [JUDGE]) for trace in traces], now_ms(), 1000)
    chosen = await window.choose(*traces)
    card = NewCard(
        verdict=chosen.verdict,
        channel="C1",
        judged_ms=now_ms(),
        day="2026-11-20",
        selection=chosen.selection,
        shadows=chosen.shadows,
    )
    await database.verdicts.keep(
        card.verdict, channel="C1", judged_ms=1, day=card.day, selection=card.selection, shadows=card.shadows
    )
    (stored,) = await database.verdicts.recent(JUDGE, 10)
    assert stored.selection == chosen.selection
    assert len(stored.selection.features) == 7
