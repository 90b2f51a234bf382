"""What is learned, with a simulated model over latent rules; nothing here is timed. Only the standard library."""

from collections.abc import Callable, Sequence

from tests.bench.pupil import Pupil
from tests.bench.rules import PEOPLE, Case, World, says_right, thing_in
from tests.bench.timed import Figures, Meter

RULES = 40
UNSEEN = 200
STEPS = (2, 5, 10, 20, 50, 100, 200)
FREE = {"chat_ms": 0, "embedding_ms": 0, "real_vectors": True}


def growth(pupil: Pupil, meter: Meter) -> Figures:
    """Accuracy on unseen cases after so many feedbacks."""
    world, found, done = _begin(pupil, meter), {}, 0
    unseen = [world.case() for _ in range(UNSEEN)]
    for step in STEPS:
        pupil.learn(world.feedback(step - done))
        done = step
        found[f"after {step}"] = _accuracy(pupil, world, unseen)
    return found


def reversal(pupil: Pupil, meter: Meter) -> Figures:
    """A fifth of the rules reversed by everybody who had told them."""
    world = _begin(pupil, meter)
    told: dict[str, set[str]] = {}
    for case in (fed := world.feedback(150)):
        told.setdefault(case.thing, set()).add(case.votes[0].person)
    pupil.learn(fed)
    reversed_things = list(told)[: RULES // 5]
    world.reverse(reversed_things)
    for thing in reversed_things:
        pupil.learn([world.told(world.case(thing), person) for person in sorted(told[thing])])
    others = [thing for thing in told if thing not in reversed_things]
    return {
        "on reversed rules": _accuracy(pupil, world, [world.case(one) for one in reversed_things * 10]),
        "on the others": _accuracy(pupil, world, [world.case(one) for one in others * 5]),
    }


def forgetting(pupil: Pupil, meter: Meter) -> Figures:
    """30 % of the traces forgotten one by one; counted after each."""
    world = _begin(pupil, meter, rules=100, wordings=5)
    fed = {case.trace_id: case for case in world.feedback(200)}
    pupil.learn(list(fed.values()))
    left, leaks, leaking_words = dict(fed), 0, 0
    for trace_id in world.sample(list(fed), len(fed) * 3 // 10):
        pupil.forget(trace_id)
        del left[trace_id]
        leaks += len(_shown(pupil) - {case.thing for case in left.values()})
        said = {case.votes[0].rationale for case in left.values()}
        leaking_words += len(set(pupil.guidelines()) - said)
    supported = {case.thing for case in left.values()}
    dead = {case.thing for case in fed.values()} - supported
    follows = [case for case in (world.case(thing) for thing in dead) if not world.rules[case.thing].right]
    return {
        "rules that lost all sources": len(dead),
        "of these shown, summed over steps": leaks,
        "of these shown, at the end": len(_shown(pupil) & dead),
        "of these still applied": sum(not value for value in pupil.judge_all(follows)),
        "guidelines in forgotten words, summed": leaking_words,
        "rules with a source": len(supported),
        "of these standing": len(_shown(pupil) & supported),
    }


def people(pupil: Pupil, meter: Meter) -> Figures:
    """Three people a trace: one by the rules, one at random, one first wrongly and then by the rules."""
    world = _begin(pupil, meter)
    ana, bob, carl = PEOPLE
    fed = []
    for _ in range(100):
        case = world.told(world.told(world.case(), ana), bob, value=world.coin())
        wrong = not world.rules[case.thing].right
        fed.append(world.told(world.told(case, carl, value=wrong), carl))
    pupil.learn(fed)
    return {"accuracy": _accuracy(pupil, world, [world.case() for _ in range(UNSEEN)])}


def wordings(pupil: Pupil, meter: Meter) -> Figures:
    """The same rules worded five ways: how many guidelines are kept for one, at once and after 20 more."""
    world = _begin(pupil, meter, wordings=5)
    fed = world.feedback(200)
    pupil.learn(fed)
    rules = len({case.thing for case in fed})
    at_once = len(pupil.guidelines()) / rules
    for case in world.feedback(20):
        pupil.learn([case])
    rules = len(_shown(pupil))
    return {
        "guidelines a rule, at once": at_once,
        "guidelines a rule, after 20 more": len(pupil.guidelines()) / rules,
        "accuracy": _accuracy(pupil, world, [world.case() for _ in range(UNSEEN)]),
    }


def budget(pupil: Pupil, meter: Meter) -> Figures:
    """300 rules."""
    world = _begin(pupil, meter, rules=300)
    pupil.learn(world.feedback(1500))
    unseen = [world.case() for _ in range(UNSEEN)]
    meter.behave(**FREE)
    accuracy = _accuracy(pupil, world, unseen)
    return {
        "guidelines": len(pupil.guidelines()),
        "accuracy": accuracy,
        "tokens a verdict": meter.counts()["chat_tokens"] / UNSEEN,
    }


def failures(pupil: Pupil, meter: Meter) -> Figures:
    """20 % of distillations fail: 20 aligns of 10 feedbacks, then all of them once more."""
    world, fed, found = _begin(pupil, meter, rules=150), [], {}
    told: set[str] = set()
    for number in range(20):
        meter.behave(**FREE, failing=0.2, salt=number)
        more = world.feedback(10)
        fed += more
        told = pupil.learn(more)
    found["share learned"] = _learned(pupil, world, fed)
    found["told pending at the end"] = len(told)
    meter.behave(**FREE, failing=0.2, salt=100)
    pupil.learn(fed)
    found["share learned, run again"] = _learned(pupil, world, fed)
    return found


def _begin(pupil: Pupil, meter: Meter, *, rules: int = RULES, wordings: int = 1) -> World:
    meter.behave(**FREE)
    pupil.start()
    return World(rules, wordings=wordings)


def _accuracy(pupil: Pupil, world: World, cases: Sequence[Case]) -> float:
    values = pupil.judge_all(cases)
    right = sum(value == world.rules[case.thing].right for case, value in zip(cases, values, strict=True))
    return right / len(cases)


def _shown(pupil: Pupil) -> set[str]:
    return {thing for text in pupil.guidelines() if (thing := thing_in(text))}


def _learned(pupil: Pupil, world: World, fed: Sequence[Case]) -> float:
    known = {(thing_in(text), says_right(text)) for text in pupil.guidelines()}
    return sum((case.thing, world.rules[case.thing].right) in known for case in fed) / len(fed)


ROWS: dict[str, Callable[[Pupil, Meter], Figures]] = {
    "growth": growth,
    "reversal": reversal,
    "forgetting": forgetting,
    "people": people,
    "wordings": wordings,
    "budget": budget,
    "failures": failures,
}
