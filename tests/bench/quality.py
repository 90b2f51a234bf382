"""Quality of learning with a simulated model over latent rules; nothing is timed. Only the standard library."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tests.bench.rules import PEOPLE, Case, Vote, World, says_right, thing_in
from tests.bench.system import JudgingSystem
from tests.bench.tacit import LEARNED_WORDINGS, NEW_WORDINGS, TacitWorld, is_right
from tests.bench.timed import Figures, Meter
from tests.rule_pairs.scoring import MergeScore, merge_score
from tests.rule_pairs.table import RulePair, rule_pairs

RULES = 40
UNSEEN = 200
STEPS = (2, 5, 10, 20, 50, 100, 200)
PAIRS_A_MEMORY = 50
"""The first guidelines of so many pairs are one batch of the distiller, the second ones the next: no call sees both."""
MORE_RULES = 25
WRONG_SHARE = 0.2
MANY_RULES = 100
MISREAD_RECORDS = 0.12
"""As in the simulation behind the prior: verdicts of a wrong guideline are right 12 % of the time."""
VOTES_A_RULE = 10
ROOM_FOR_ALL = 1_000_000
DOCUMENT_WORDS = 1_000
FREE = {"chat_ms": 0, "embedding_ms": 0, "real_vectors": True}


def growth(system: JudgingSystem, meter: Meter) -> Figures:
    """Accuracy on unseen cases after so many feedbacks."""
    world, figures, done = _start(system, meter), {}, 0
    unseen = [world.case() for _ in range(UNSEEN)]
    for step in STEPS:
        system.learn(world.feedback(step - done))
        done = step
        figures[f"after {step}"] = _accuracy(system, world, unseen)
    return figures


def reversal(system: JudgingSystem, meter: Meter) -> Figures:
    """A fifth of the rules reversed by everybody who had told them."""
    world = _start(system, meter)
    people_by_thing: dict[str, set[str]] = {}
    for case in (cases := world.feedback(150)):
        people_by_thing.setdefault(case.thing, set()).add(case.votes[0].person)
    system.learn(cases)
    reversed_things = list(people_by_thing)[: RULES // 5]
    world.reverse(reversed_things)
    for thing in reversed_things:
        system.learn(
            [world.with_vote(world.case(thing), person) for person in sorted(people_by_thing[thing])]
        )
    others = [thing for thing in people_by_thing if thing not in reversed_things]
    return {
        "on reversed rules": _accuracy(system, world, [world.case(thing) for thing in reversed_things * 10]),
        "on the others": _accuracy(system, world, [world.case(thing) for thing in others * 5]),
    }


def forgetting(system: JudgingSystem, meter: Meter) -> Figures:
    """30 % of the traces forgotten one by one; counted after each."""
    world = _start(system, meter, rules=100, wordings=5)
    cases = {case.trace_id: case for case in world.feedback(200)}
    system.learn(list(cases.values()))
    left, leaks, leaking_words = dict(cases), 0, 0
    for trace_id in world.sample(list(cases), len(cases) * 3 // 10):
        system.forget(trace_id)
        del left[trace_id]
        leaks += len(_things_in_guidelines(system) - {case.thing for case in left.values()})
        rationales = {case.votes[0].rationale for case in left.values()}
        leaking_words += len(set(system.guidelines()) - rationales)
    supported = {case.thing for case in left.values()}
    unsupported = {case.thing for case in cases.values()} - supported
    follows = [
        case for case in (world.case(thing) for thing in unsupported) if not world.rules[case.thing].right
    ]
    return {
        "rules that lost all sources": len(unsupported),
        "of these shown, summed over steps": leaks,
        "of these shown, at the end": len(_things_in_guidelines(system) & unsupported),
        "of these still applied": sum(not value for value in system.judge_all(follows)),
        "guidelines in forgotten words, summed": leaking_words,
        "rules with a source": len(supported),
        "of these standing": len(_things_in_guidelines(system) & supported),
    }


def wrong_rules(system: JudgingSystem, meter: Meter) -> Figures:
    """A fifth of the guidelines is wrong; then ten cards a rule are judged, and people vote without a reason.

    The model misreads 12 % of the records, so that verdicts of a good guideline are right 88 % of the time. The wrong
    guidelines forbid what the untaught model rightly allows, so that all is well again without them.
    """
    world = _start(system, meter, rules=MANY_RULES)
    meter.behave(**FREE, misreading=MISREAD_RECORDS)
    things = list(world.rules)
    system.learn([world.with_vote(world.case(thing)) for thing in things])
    unseen = [world.case(thing) for thing in things * 3]
    figures = {"all good": _accuracy(system, world, unseen)}
    system.start()
    allowed = [thing for thing in things if world.rules[thing].right]
    wrong = set(allowed[: round(len(things) * WRONG_SHARE)])
    system.learn(
        [
            world.with_vote(world.case(thing), value=world.rules[thing].right != (thing in wrong))
            for thing in things
        ]
    )
    figures["before"] = _accuracy(system, world, unseen)
    for number in range(1, VOTES_A_RULE + 1):
        cards = [world.case(thing) for thing in things]
        for card in cards:
            system.judge(card)
        system.learn([world.with_thumb(card) for card in cards])
        if number == VOTES_A_RULE // 2:
            figures["after five"] = _accuracy(system, world, unseen)
    used = _things_in_guidelines(system)
    return figures | {
        "after ten": _accuracy(system, world, unseen),
        "below all good": figures["all good"] - _accuracy(system, world, unseen),
        "wrong ones used": len(used & wrong),
        "good ones not used": len(set(things) - wrong - used),
    }


def people(system: JudgingSystem, meter: Meter) -> Figures:
    """Three people a trace: one by the rules, one at random, one first wrongly and then by the rules."""
    world = _start(system, meter)
    ana, bob, carl = PEOPLE
    cases = []
    for _ in range(100):
        case = world.with_vote(world.with_vote(world.case(), ana), bob, value=world.coin())
        wrong = not world.rules[case.thing].right
        cases.append(world.with_vote(world.with_vote(case, carl, value=wrong), carl))
    system.learn(cases)
    return {"accuracy": _accuracy(system, world, [world.case() for _ in range(UNSEEN)])}


def wordings(system: JudgingSystem, meter: Meter) -> Figures:
    """The same rules worded five ways: how many guidelines are kept for one, at once and after 20 more."""
    world = _start(system, meter, wordings=5)
    cases = world.feedback(200)
    system.learn(cases)
    rules = len({case.thing for case in cases})
    at_once = len(system.guidelines()) / rules
    for case in world.feedback(20):
        system.learn([case])
    rules = len(_things_in_guidelines(system))
    return {
        "guidelines a rule, at once": at_once,
        "guidelines a rule, after 20 more": len(system.guidelines()) / rules,
        "accuracy": _accuracy(system, world, [world.case() for _ in range(UNSEEN)]),
    }


def one_by_one(system: JudgingSystem, meter: Meter) -> Figures:
    """Each of 200 cases judged, then its one vote learned, as in Slack; five wordings a rule."""
    world = _start(system, meter, wordings=5)
    feedback = world.feedback(200)
    tokens = calls = 0.0
    for place, case in enumerate(feedback):
        if place:
            system.judge(case)
        meter.behave(**FREE)
        system.learn([case])
        counts = meter.counts()
        tokens, calls = tokens + counts["chat_tokens"], calls + counts["chat"]
    return {
        "guidelines a rule": len(system.guidelines()) / len({case.thing for case in feedback}),
        "accuracy": _accuracy(system, world, [world.case() for _ in range(UNSEEN)]),
        "tokens a feedback": tokens / len(feedback),
        "calls a feedback": calls / len(feedback),
    }


def pairs(system: JudgingSystem, meter: Meter) -> Figures:
    """Pairs of guidelines, the two in different batches of one round; then 25 more rules, one by one.

    Code alone: the model takes each sentence for a rule of its own.
    """
    memories = len(rule_pairs()) // PAIRS_A_MEMORY
    united: dict[str, set[RulePair]] = {"code alone": set(), "at once": set(), "after 25 more": set()}
    across = 0
    for number in range(memories):
        chosen = rule_pairs()[number::memories]
        united["code alone"] |= _learned_pairs(system, meter, chosen, paraphrases=False)
        united["at once"] |= _learned_pairs(system, meter, chosen, paraphrases=True)
        for case in World(MORE_RULES).feedback(MORE_RULES):
            system.learn([case])
        united["after 25 more"] |= _united(system, chosen)
        across += sum(len(_pairs_among(names)) > 1 for names in system.sources_by_guideline())
    figures: Figures = {"united across pairs": across}
    for name, those in united.items():
        score = merge_score(rule_pairs(), those.__contains__)
        figures |= {f"precision, {name}": _precision(score), f"recall, {name}": score.recall or 0}
    return figures


def budget(system: JudgingSystem, meter: Meter) -> Figures:
    """300 rules."""
    world = _start(system, meter, rules=300)
    system.learn(world.feedback(1500))
    unseen = [world.case() for _ in range(UNSEEN)]
    meter.behave(**FREE)
    accuracy = _accuracy(system, world, unseen)
    return {
        "guidelines": len(system.guidelines()),
        "accuracy": accuracy,
        "tokens a verdict": meter.counts()["chat_tokens"] / UNSEEN,
    }


def room(system: JudgingSystem, meter: Meter) -> Figures:
    """300 rules, with room for all and with room for 2,000 tokens."""
    world = _start(system, meter, rules=300)
    system.learn(world.feedback(1500))
    unseen, figures = [world.case() for _ in range(UNSEEN)], {}
    for name, tokens in (("all", ROOM_FOR_ALL), ("2,000 tokens", 2_000)):
        meter.behave(**FREE)
        values = system.judge_in_room(unseen, tokens)
        figures[f"accuracy, {name}"] = _share_right(world, unseen, values)
        figures[f"tokens a verdict, {name}"] = meter.counts()["chat_tokens"] / UNSEEN
    return figures | {"lost": figures["accuracy, all"] - figures["accuracy, 2,000 tokens"]}


def contrast(system: JudgingSystem, meter: Meter) -> Figures:
    """Labels without reasons, in wordings that no learned case has; with and without a case of another label."""
    return _gained_by_contrast(system, meter, NEW_WORDINGS)


def contrast_in_known_words(system: JudgingSystem, meter: Meter) -> Figures:
    """The same in wordings that the learned cases have."""
    return _gained_by_contrast(system, meter, LEARNED_WORDINGS)


def precedents(system: JudgingSystem, meter: Meter) -> Figures:
    """Cases of 40 rules, all given the same long text: which ones are shown."""
    world = _start(system, meter)
    document = world.case(words=DOCUMENT_WORDS).question
    feedback = [replace(case, question=document) for case in world.feedback(1000)]
    system.learn(feedback)
    unseen = [replace(world.case(), question=document) for _ in range(UNSEEN)]
    return _share_relevant(system, feedback, unseen)


def own_texts(system: JudgingSystem, meter: Meter) -> Figures:
    """Cases of 40 rules, each given a text of its own: which ones are shown."""
    world = _start(system, meter)
    feedback = world.feedback(1000)
    system.learn(feedback)
    return _share_relevant(system, feedback, [world.case() for _ in range(UNSEEN)])


def copies(system: JudgingSystem, meter: Meter) -> Figures:
    """Each of 200 cases stored eight times: how many of those shown are different."""
    world = _start(system, meter)
    feedback = [
        replace(case, trace_id=f"{case.trace_id}-{number}")
        for case in world.feedback(200)
        for number in range(8)
    ]
    system.learn(feedback)
    answers = {case.trace_id: case.answer for case in feedback}
    shown = [
        [answers[trace_id] for trace_id in system.shown(world.case(case.thing))] for case in feedback[::8]
    ]
    different = sum(len(set(each)) for each in shown)
    return {"different": different / len(shown), "share": different / sum(map(len, shown))}


def failures(system: JudgingSystem, meter: Meter) -> Figures:
    """20 % of distillations fail: 20 aligns of 10 feedbacks, then all of them once more."""
    world, cases, figures = _start(system, meter, rules=150), [], {}
    reported: set[str] = set()
    for number in range(20):
        meter.behave(**FREE, failing=0.2, salt=number)
        more = world.feedback(10)
        cases += more
        reported = system.learn(more)
    figures["share learned"] = _share_learned(system, world, cases)
    figures["told pending at the end"] = len(reported)
    meter.behave(**FREE, failing=0.2, salt=100)
    system.learn(cases)
    figures["share learned, run again"] = _share_learned(system, world, cases)
    return figures


def _start(system: JudgingSystem, meter: Meter, *, rules: int = RULES, wordings: int = 1) -> World:
    meter.behave(**FREE)
    system.start()
    return World(rules, wordings=wordings)


def _learned_pairs(
    system: JudgingSystem, meter: Meter, chosen: Sequence[RulePair], *, paraphrases: bool
) -> set[RulePair]:
    """Learn in one round, all first guidelines before all second ones; return the pairs that became one guideline."""
    system.start()
    meter.behave(**FREE, paraphrases=paraphrases)
    firsts = [_pair_case(f"pair {n} first", pair.first, pair.first_label) for n, pair in enumerate(chosen)]
    seconds = [
        _pair_case(f"pair {n} second", pair.second, pair.second_label) for n, pair in enumerate(chosen)
    ]
    system.learn([*firsts, *seconds])
    return _united(system, chosen)


def _pair_case(trace_id: str, rule: str, label: bool) -> Case:
    vote = Vote(PEOPLE[0], label, rule, 1_700_000_000_000)
    return Case(
        trace_id=trace_id, thing="", question=f"Question of {trace_id}", answer="An answer.", votes=(vote,)
    )


def _united(system: JudgingSystem, chosen: Sequence[RulePair]) -> set[RulePair]:
    groups = system.sources_by_guideline()
    return {
        pair
        for number, pair in enumerate(chosen)
        if any({f"pair {number} first", f"pair {number} second"} <= names for names in groups)
    }


def _pairs_among(trace_ids: set[str]) -> set[str]:
    return {name.rpartition(" ")[0] for name in trace_ids if name.startswith("pair ")}


def _precision(score: MergeScore) -> float:
    return math.nan if score.precision is None else score.precision


def _accuracy(system: JudgingSystem, world: World, cases: Sequence[Case]) -> float:
    return _share_right(world, cases, system.judge_all(cases))


def _share_right(world: World, cases: Sequence[Case], values: Sequence[bool]) -> float:
    right = sum(value == world.rules[case.thing].right for case, value in zip(cases, values, strict=True))
    return right / len(cases)


def _gained_by_contrast(
    system: JudgingSystem, meter: Meter, wordings: Mapping[str, Sequence[str]]
) -> Figures:
    """400 labels, one in seven of them a fail."""
    _start(system, meter)
    world = TacitWorld(RULES)
    system.learn(world.labelled(400))
    unseen = [world.case(wordings) for _ in range(5 * UNSEEN)]
    figures: Figures = {}
    for name, values in (
        ("with", system.judge_all(unseen)),
        ("without", system.judge_without_contrast(unseen)),
    ):
        figures[f"on fails, {name}"] = _recall(unseen, values, label=False)
        figures[f"on passes, {name}"] = _recall(unseen, values, label=True)
    return figures | {
        "gained on fails": figures["on fails, with"] - figures["on fails, without"],
        "lost on passes": figures["on passes, without"] - figures["on passes, with"],
    }


def _recall(cases: Sequence[Case], values: Sequence[bool], *, label: bool) -> float:
    """The share of the cases of a label that are given it."""
    given = [value == label for case, value in zip(cases, values, strict=True) if is_right(case) == label]
    return sum(given) / len(given)


def _share_relevant(system: JudgingSystem, feedback: Sequence[Case], unseen: Sequence[Case]) -> Figures:
    """Of the cases shown those on the record's thing, and the records whose best one is."""
    things = {case.trace_id: case.thing for case in feedback}
    shown = [[things[name] == case.thing for name in system.shown(case)] for case in unseen]
    count = sum(map(len, shown))
    return {
        "relevant": sum(map(sum, shown)) / count if count else math.nan,
        "best relevant": sum(each[:1] == [True] for each in shown) / len(unseen),
    }


def _things_in_guidelines(system: JudgingSystem) -> set[str]:
    return {thing for text in system.guidelines() if (thing := thing_in(text))}


def _share_learned(system: JudgingSystem, world: World, cases: Sequence[Case]) -> float:
    known = {(thing_in(text), says_right(text)) for text in system.guidelines()}
    return sum((case.thing, world.rules[case.thing].right) in known for case in cases) / len(cases)


ROWS: dict[str, Callable[[JudgingSystem, Meter], Figures]] = {
    "growth": growth,
    "reversal": reversal,
    "forgetting": forgetting,
    "wrong rules": wrong_rules,
    "people": people,
    "wordings": wordings,
    "one by one": one_by_one,
    "pairs": pairs,
    "budget": budget,
    "room": room,
    "contrast": contrast,
    "contrast in known words": contrast_in_known_words,
    "precedents": precedents,
    "own texts": own_texts,
    "copies": copies,
    "failures": failures,
}
