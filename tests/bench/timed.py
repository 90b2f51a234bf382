"""The timed rows: each function measures one, on either system. Only the standard library."""

import gc
import resource
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.bench.rules import Case, World, says_right, thing_in
from tests.bench.system import JudgingSystem

REPEATS = 5
RULES = 40
MANY_RULES = 300
REASON_WORDS = 70
"""Words that people write beside the rule itself."""
CHAT_S, EMBEDDING_S = 0.2, 0.03

Figures = dict[str, float]


class Meter:
    """Takes times and the server's counts."""

    def __init__(self, behave: Callable[..., None], counts: Callable[[], dict[str, int]]) -> None:
        self.behave = behave
        self.counts = counts

    def take(self, work: Callable[[], object]) -> Figures:
        """Seconds, and what the server counted meanwhile."""
        self.behave()
        gc.collect()
        start = time.perf_counter()
        work()
        seconds = time.perf_counter() - start
        counts = self.counts()
        named = ("chat", "embeddings", "texts", "embedding_tokens", "chat_tokens")
        return {"seconds": seconds, **{name: counts.get(name, 0) for name in named}}


def median(measured: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: statistics.median(figures[name] for figures in measured) for name in measured[0]}


def align(system: JudgingSystem, meter: Meter, cases: int = 1000) -> Figures:
    """Align from nothing."""

    def once(seed: int) -> Figures:
        system.start()
        feedback = World(RULES, seed=seed).feedback(cases, words=REASON_WORDS)
        return meter.take(lambda: system.learn(feedback))

    return median([once(seed) for seed in range(REPEATS)])


def one_more(system: JudgingSystem, meter: Meter, known: int) -> Figures:
    """One more feedback."""
    world = _with_feedback(system, meter, known)
    return median([meter.take(partial(system.learn, [case])) for case in world.feedback(7)])


def verdict(system: JudgingSystem, meter: Meter, known: int = 1000) -> Figures:
    """A verdict on a new case, and one on a text that was embedded before."""
    world = _with_feedback(system, meter, known)
    system.judge(world.case())
    cases = [world.case() for _ in range(15)]
    new = median([meter.take(partial(system.judge, case)) for case in cases])
    again = median([meter.take(partial(system.judge, case)) for case in cases])
    beyond = new["seconds"] - CHAT_S - EMBEDDING_S
    return {"beyond": beyond, "tokens": new["chat_tokens"], "embeddings again": again["embeddings"]}


def forget(system: JudgingSystem, meter: Meter, known: int = 1000) -> Figures:
    """Unalign a trace whose rule rests on it alone, from anywhere in the memory."""
    meter.behave(chat_ms=0, embedding_ms=0)
    system.start()
    world = World(RULES + 7)
    feedback = world.feedback(known - 7, words=REASON_WORDS, among=RULES)
    alone = [world.with_vote(world.case(thing)) for thing in list(world.rules)[RULES:]]
    for place, case in enumerate(alone):
        feedback.insert(place * known // 7, case)
    system.learn(feedback)
    return median([meter.take(partial(system.forget, case.trace_id)) for case in reversed(alone)])


def many(system: JudgingSystem, meter: Meter, known: int = 1000) -> Figures:
    """48 verdicts at once."""
    world = _with_feedback(system, meter, known)
    system.judge_all([world.case() for _ in range(48)])
    measured = [
        meter.take(partial(system.judge_all, cases))
        for cases in ([world.case() for _ in range(48)] for _ in range(REPEATS))
    ]
    return median(measured)


def load(system: JudgingSystem, meter: Meter, known: int = 1000) -> Figures:
    """Load, and judge one case."""
    meter.behave(chat_ms=0, embedding_ms=0)
    system.start()
    world = World(RULES)
    system.keep(world.feedback(known, words=REASON_WORDS))
    loads = [meter.take(system.load) for _ in range(REPEATS)]

    def first_verdict(case: Case) -> None:
        system.load()
        system.judge(case)

    firsts = [meter.take(lambda: first_verdict(world.case())) for _ in range(REPEATS)]
    beyond = median(firsts)["seconds"] - CHAT_S - EMBEDDING_S
    loaded = median(loads)
    return {
        "seconds": loaded["seconds"],
        "calls": loaded["chat"] + loaded["embeddings"],
        "to first verdict": beyond,
        "texts to first verdict": median(firsts)["texts"],
    }


def memory(system: JudgingSystem, meter: Meter) -> Figures:
    """The most that this process ever held: after aligning 1,000 and a verdict."""
    world = _with_feedback(system, meter, 1000)
    system.judge(world.case())
    return {"peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def leaks(system: JudgingSystem, meter: Meter, aligns: int = 500) -> Figures:
    """Aligns one by one: threads and memory that stay."""
    meter.behave(chat_ms=0, embedding_ms=0)
    system.start()
    feedback = World(RULES).feedback(aligns + 50)
    for case in feedback[:50]:
        system.learn([case])
    gc.collect()
    threads, memory = threading.active_count(), resident_mb()
    for case in feedback[50:]:
        system.learn([case])
    gc.collect()
    return {
        "aligns": aligns,
        "threads each": (threading.active_count() - threads) / aligns,
        "MB each": (resident_mb() - memory) / aligns,
    }


def faults(system: JudgingSystem, meter: Meter, known: int = 1000) -> Figures:
    """10 % of calls answered with 429, 5 % with 500, 10 % malformed: what is learned, told, and learned again."""
    world = World(MANY_RULES)
    feedback = world.feedback(known)
    figures: Figures = {}
    system.start()
    for run in (1, 2):
        meter.behave(chat_ms=20, embedding_ms=3, busy=0.1, broken=0.05, malformed=0.1, salt=run)
        reported = system.learn(feedback)
        rules = {(thing_in(text), says_right(text)) for text in system.guidelines()}
        unknown = {
            case.trace_id for case in feedback if (case.thing, world.rules[case.thing].right) not in rules
        }
        figures |= {
            f"told pending, run {run}": len(reported),
            f"rule unknown and not told, run {run}": len(unknown - reported),
            f"in no rule's sources and not told, run {run}": known - len(system.sources() | reported),
        }
    return figures


def resident_mb() -> float:
    """Memory that this process holds."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _with_feedback(system: JudgingSystem, meter: Meter, known: int) -> World:
    meter.behave(chat_ms=0, embedding_ms=0)
    system.start()
    world = World(RULES)
    system.learn(world.feedback(known, words=REASON_WORDS))
    return world


ROWS: dict[str, Callable[[JudgingSystem, Meter], Figures]] = {
    "align": align,
    "one more at 10": lambda system, meter: one_more(system, meter, 10),
    "one more at 1,000": lambda system, meter: one_more(system, meter, 1000),
    "verdict": verdict,
    "forget": forget,
    "load": load,
    "many": many,
    "memory": memory,
    "leaks": leaks,
    "faults": faults,
}
