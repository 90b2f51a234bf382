"""Random histories of feedback, forgetting and decisions on guidelines, with restarts and models that say it again."""

import asyncio
import json
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memalign.errors import InputError
from memalign.judge_memory import JudgeMemory
from memalign.memory.beta_posterior import is_doubtful
from memalign.memory.guideline_record import GuidelineRecords
from memalign.memory.text_features import stems
from memalign.models.llm_distiller import LLMDistiller
from memalign.models.pair_comparison import PairComparer
from memalign.ports import Completion, Prompt
from memalign.records import Assessment, Guideline, Json, Usage
from tests.factories import a_memory, a_trace, a_vote
from tests.fakes import FakeModel, FakeStore, section

TOPICS: Mapping[str, Sequence[str]] = {
    "source": (
        "Answers must cite a source.",
        "Cite a source, answers must.",
        "Always cite sources in an answer!",
    ),
    "greet": (
        "Greet the customer by name.",
        "By name, greet the customer.",
        "Always greet customers by their name!",
    ),
    "tax": ("Quote prices with tax.", "With tax, quote prices.", "Always quote the price with taxes!"),
}
"""The ways to word a rule: its own words, the same in another order, and other words."""
ADDED = ("Emoji are unprofessional.", "Long lists belong into tables.")
EDITED = ("Passwords are never shown.", "Links open in new windows.", "Dates are written out.")
PEOPLE = ("ana", "ben", "cem")
TRACES = tuple(f"tr-{number}" for number in range(4))

Act = tuple[str, int, int, int, bool]
"""The act, and what it acts on: a trace or a rule, a person, a wording; and a label."""
ACTS = (
    *("align",) * 6,
    *("unalign", "forget trace", "forget person", "restart", "settle"),
    *("add", "edit", "retire", "retire", "restore", "pin", "undo"),
)
HISTORIES = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 11), st.integers(0, 2), st.integers(0, 8), st.booleans()),
    min_size=3,
    max_size=22,
)


def topic_of(text: str) -> str:
    words = text.lower()
    return next((topic for topic in TOPICS if topic in words or topic[:3] in words), "")


class RepeatingModel(FakeModel):
    """Words each rule as the reason's last word says, heeds nothing that is retired, and knows what is the same."""

    async def complete(self, prompt: Prompt, schema: Mapping[str, Json]) -> Completion:
        del schema
        if "<pairs>" in prompt.changing:
            return Completion(answer={"pairs": self.compared(prompt)}, usage=Usage(calls=1))
        rules = [json.loads(line) for line in section(prompt.stable, "rules")]
        drafts = []
        for line in section(prompt.changing, "records"):
            record = json.loads(line)
            topic, wording = record["reason"].split()[:2]
            drafts.append({"text": TOPICS[topic][int(wording)], "records": [record["record"]]})
        by_topic: dict[str, list[int]] = {}
        for rule in rules:
            by_topic.setdefault(topic_of(rule["text"]), []).append(rule["rule"])
        same = [{"rules": numbers} for topic, numbers in by_topic.items() if topic and len(numbers) > 1]
        answer = {"guidelines": drafts, "supports": [], "contradicts": [], "same": same}
        return Completion(answer=answer, usage=Usage(calls=1))

    def compared(self, prompt: Prompt) -> list[Json]:
        pairs = [json.loads(line) for line in section(prompt.changing, "pairs")]
        return [
            {
                "pair": pair["pair"],
                "relation": "same" if topic_of(pair["first"]) == topic_of(pair["second"]) else "different",
            }
            for pair in pairs
        ]


def mark(trace_id: str, person: str) -> str:
    """A word that only this person's reason on this trace has."""
    return f"zw{person}{trace_id[3:]}"


@dataclass
class History:
    """A memory, what people say now, and which rules people have retired."""

    store: FakeStore = field(default_factory=FakeStore)
    votes: dict[str, dict[str, tuple[bool, str]]] = field(default_factory=dict)
    retired: dict[str, Guideline] = field(default_factory=dict)
    """Retired and not restored, by id, as they were then."""
    owed: set[str] = field(default_factory=set)
    """Traces to be learned anew, since a person who had a say there was forgotten."""
    memory: JudgeMemory = field(init=False)

    async def open(self) -> None:
        model = RepeatingModel()
        self.memory = await a_memory(
            store=self.store, distiller=LLMDistiller(model), comparer=PairComparer(model)
        )

    async def play(self, acts: Sequence[Act]) -> None:
        await self.open()
        for act, subject, person, wording, label in acts:
            edited = {rule.id: rule for rule in self.memory.guidelines if rule.edited_by}
            try:
                await self.act(act, subject, PEOPLE[person], wording, label)
            except InputError:
                continue
            if act in ("align", "unalign", "restart", "settle"):
                self.check_edited(edited)
            self.check_retired(act)
            self.check_records()
        await self.act("settle", 0, "ana", 0, True)
        self.check_retired("settle")

    async def act(self, act: str, subject: int, person: str, wording: int, label: bool) -> None:
        trace_id = TRACES[subject % len(TRACES)]
        match act:
            case "align":
                topic = list(TOPICS)[wording // 3]
                reason = f"{topic} {wording % 3} {mark(trace_id, person)}"
                self.votes.setdefault(trace_id, {})[person] = (label, reason)
                await self.learn([trace_id])
            case "unalign":
                self.votes.get(trace_id, {}).pop(person, None)
                await self.learn([trace_id])
            case "forget trace":
                self.votes.pop(trace_id, None)
                self.owed.discard(trace_id)
                await self.memory.distil_again(await self.memory.forget([trace_id]))
                self.check_forgotten([mark(trace_id, each) for each in PEOPLE], trace_id)
            case "forget person":
                await self.forget_person(person)
            case "restart":
                await self.open()
            case "settle":
                await self.learn(self.owed)
                await self.learn([])
            case _:
                await self.decide(act, subject, person, wording)

    async def learn(self, trace_ids: Collection[str]) -> None:
        traces = [
            a_trace(
                name,
                *(
                    a_vote(value, reason, by, ms=1)
                    for by, (value, reason) in self.votes.get(name, {}).items()
                ),
                self.verdict(name),
            )
            for name in sorted(trace_ids)
        ]
        self.owed -= set(trace_ids)
        await self.memory.learn(traces)

    def verdict(self, trace_id: str) -> Assessment:
        """The judge's verdict on a trace, which some of the guidelines that there are led to."""
        known = [rule.id for rule in self.memory.guidelines]
        chosen = random.Random(trace_id).sample(known, min(2, len(known)))
        verdict = a_vote(True, "because", "memalign", ms=1, source_type="LLM_JUDGE")
        return replace(verdict, guideline_ids=tuple(chosen))

    def check_records(self) -> None:
        """Records follow from the cases and guidelines as they are, whatever they were before."""
        counted = GuidelineRecords.of(self.memory.episodes, self.memory.guidelines)
        for rule in self.memory.guidelines:
            assert rule.record == counted.record(rule.id), rule
            assert rule.doubtful == is_doubtful(rule.record), rule

    async def forget_person(self, person: str) -> None:
        traces = {name for name, votes in self.votes.items() if votes.pop(person, None)}
        traces |= {
            source.trace_id
            for rule in self.memory.guidelines
            for source in (*rule.sources, *rule.contradicted)
            if source.person == person
        }
        traces |= {
            name
            for name, episode in self.memory.episodes.items()
            if person in {each.person for each in (*episode.opinions, *episode.minority)}
        }
        self.owed |= traces
        await self.memory.forget_person(person, traces)
        words = [mark(trace_id, person) for trace_id in TRACES]
        self.check_forgotten([*words, f"by {person}"], f"'{person}'")

    async def decide(self, act: str, subject: int, person: str, wording: int) -> None:
        editor, rules = self.memory.editor, self.memory.guidelines
        if act == "add":
            await editor.add(f"{ADDED[wording % 2]} Said by {person}.", person)
            return
        if not rules:
            return
        rule = rules[subject % len(rules)]
        match act:
            case "edit":
                await editor.edit(rule.id, f"{EDITED[wording % 3]} Said by {person}.", person)
            case "retire":
                await editor.retire(rule.id, person)
            case "restore":
                await editor.restore(rule.id, person)
            case "pin":
                await editor.pin(rule.id, person)
            case _:
                await editor.undo(rule.id, person)
        self.note_retired()

    def note_retired(self) -> None:
        """Note what is retired, unless another rule that stays in use says the same already."""
        rules = self.memory.guidelines
        used = [rule for rule in rules if rule.in_use]
        self.retired = {
            rule.id: rule
            for rule in rules
            if rule.retired and not any(is_same(rule, other) for other in used)
        }

    def check_retired(self, act: str) -> None:
        rules = {rule.id: rule for rule in self.memory.guidelines}
        for rule_id, retired in list(self.retired.items()):
            if rule_id in rules:
                assert rules[rule_id].retired, (act, rules[rule_id])
                if not rules[rule_id].has_words:
                    del self.retired[rule_id]  # forgotten words are no longer known again in another order
                    continue
                used = [rule.text for rule in rules.values() if rule.in_use and is_same(rule, retired)]
                assert not used, (act, used, retired)
            else:
                assert act.startswith("forget"), (act, retired)
                del self.retired[rule_id]

    def check_edited(self, before: Mapping[str, Guideline]) -> None:
        """An edited rule keeps its words; it waits out of use while nobody supports it."""
        rules = {rule.id: rule for rule in self.memory.guidelines}
        for edited in before.values():
            assert rules[edited.id].text == edited.text
            assert rules[edited.id].people or not rules[edited.id].in_use

    def check_forgotten(self, words: Sequence[str], name: str) -> None:
        held = [
            self.memory.guidelines,
            dict(self.memory.episodes),
            self.store.guidelines,
            self.store.episodes,
        ]
        for word in (*words, name):
            assert word not in repr(held), (
                word,
                [rule for rule in self.memory.guidelines if word in repr(rule)],
            )


def is_same(rule: Guideline, retired: Guideline) -> bool:
    """The same words in whatever order."""
    return stems(rule.text) == stems(retired.text)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES)
def test_a_retired_rule_stays_out_of_use_an_edited_one_keeps_its_words_and_nothing_forgotten_is_left(
    acts: list[Act],
) -> None:
    asyncio.run(History().play(acts))


def undated(memory: JudgeMemory) -> Json:
    """The guidelines without the times of decisions, and ids made of these, which no two histories share."""
    return [undated_rule(rule) for rule in memory.guidelines]


def undated_rule(rule: Guideline) -> Guideline:
    merged = tuple(replace(each, guideline=undated_rule(each.guideline)) for each in rule.merged)
    decisions = {
        name: replace(decision, time_ms=0)
        for name in ("added_by", "edited_by", "retired_by", "pinned_by")
        if (decision := getattr(rule, name))
    }
    return replace(
        rule,
        id=rule.id if rule.sources else "",
        learned_ms=0,
        record_since_ms=0,
        previous=None,
        worded_by=(),
        merged=merged,
        compared=(),
        **decisions,
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES, st.lists(st.sampled_from(TRACES), unique=True, min_size=2), st.randoms())
@example(
    acts=[*(("align", trace, 0, 0, False) for trace in (0, 2, 3)), ("retire", 0, 0, 0, False)],
    names=["tr-0", "tr-2"],
    order=random.Random(0),
)
def test_forgetting_in_any_order_after_decisions_gives_the_same_memory(
    acts: list[Act], names: list[str], order: random.Random
) -> None:
    async def scenario() -> None:
        kept = [act for act in acts if not act[0].startswith("forget")]
        first, second = History(), History()
        for history in (first, second):
            await history.play(kept)
        shuffled = order.sample(names, len(names))
        for name in names:
            await first.memory.distil_again(await first.memory.forget([name]))
        await second.memory.distil_again(await second.memory.forget(shuffled))
        assert undated(first.memory) == undated(second.memory)

    asyncio.run(scenario())
