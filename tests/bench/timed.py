"""The timed rows: each function measures one, on either pupil. Only the standard library."""

import gc
import resource
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.bench.pupil import Pupil
from tests.bench.rules import Case, World, says_right, thing_in

REPEATS = 5
RULES = 40
MANY_RULES = 300
REASON_WORDS = 70
"""How much people write beside the rule itself."""
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
    return {name: statistics.median(one[name] for one in measured) for name in measured[0]}


def align(pupil: Pupil, meter: Meter, cases: int = 1000) -> Figures:
    """Align from nothing."""

    def once(seed: int) -> Figures:
        pupil.start()
        fed = World(RULES, seed=seed).feedback(cases, words=REASON_WORDS)
        return meter.take(lambda: pupil.learn(fed))

    return median([once(seed) for seed in range(REPEATS)])


def one_more(pupil: Pupil, meter: Meter, known: int) -> Figures:
    """One more feedback."""
    world = _learned(pupil, meter, known)
    return median([meter.take(partial(pupil.learn, [fed])) for fed in world.feedback(7)])


def verdict(pupil: Pupil, meter: Meter, known: int = 1000) -> Figures:
    """A verdict on a new case, and one on a text that was embedded before."""
    world = _learned(pupil, meter, known)
    pupil.judge(world.case())
    cases = [world.case() for _ in range(15)]
    new = median([meter.take(partial(pupil.judge, case)) for case in cases])
    again = median([meter.take(partial(pupil.judge, case)) for case in cases])
    beyond = new["seconds"] - CHAT_S - EMBEDDING_S
    return {"beyond": beyond, "tokens": new["chat_tokens"], "embeddings again": again["embeddings"]}


def forget(pupil: Pupil, meter: Meter, known: int = 1000) -> Figures:
    """Unalign a trace whose rule rests on it alone, from anywhere in the memory."""
    meter.behave(chat_ms=0, embedding_ms=0)
    pupil.start()
    world = World(RULES + 7)
    fed = world.feedback(known - 7, words=REASON_WORDS, among=RULES)
    alone = [world.told(world.case(thing)) for thing in list(world.rules)[RULES:]]
    for place, case in enumerate(alone):
        fed.insert(place * known // 7, case)
    pupil.learn(fed)
    return median([meter.take(partial(pupil.forget, case.trace_id)) for case in reversed(alone)])


def many(pupil: Pupil, meter: Meter, known: int = 1000) -> Figures:
    """48 verdicts at once."""
    world = _learned(pupil, meter, known)
    pupil.judge_all([world.case() for _ in range(48)])
    measured = [
        meter.take(partial(pupil.judge_all, cases))
        for cases in ([world.case() for _ in range(48)] for _ in range(REPEATS))
    ]
    return median(measured)


def load(pupil: Pupil, meter: Meter, known: int = 1000) -> Figures:
    """Load, and judge one case."""
    meter.behave(chat_ms=0, embedding_ms=0)
    pupil.start()
    world = World(RULES)
    pupil.keep(world.feedback(known, words=REASON_WORDS))
    loads = [meter.take(pupil.load) for _ in range(REPEATS)]

    def first_verdict(case: Case) -> None:
        pupil.load()
        pupil.judge(case)

    firsts = [meter.take(lambda: first_verdict(world.case())) for _ in range(REPEATS)]
    beyond = median(firsts)["seconds"] - CHAT_S - EMBEDDING_S
    loaded = median(loads)
    return {
        "seconds": loaded["seconds"],
        "calls": loaded["chat"] + loaded["embeddings"],
        "to first verdict": beyond,
        "texts to first verdict": median(firsts)["texts"],
    }


def memory(pupil: Pupil, meter: Meter) -> Figures:
    """The most that this process ever held: after aligning 1,000 and a verdict."""
    world = _learned(pupil, meter, 1000)
    pupil.judge(world.case())
    return {"peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def leaks(pupil: Pupil, meter: Meter, aligns: int = 500) -> Figures:
    """Aligns one by one: threads and memory that stay."""
    meter.behave(chat_ms=0, embedding_ms=0)
    pupil.start()
    fed = World(RULES).feedback(aligns + 50)
    for one in fed[:50]:
        pupil.learn([one])
    gc.collect()
    threads, memory = threading.active_count(), resident_mb()
    for one in fed[50:]:
        pupil.learn([one])
    gc.collect()
    return {
        "aligns": aligns,
        "threads each": (threading.active_count() - threads) / aligns,
        "MB each": (resident_mb() - memory) / aligns,
    }


def faults(pupil: Pupil, meter: Meter, known: int = 1000) -> Figures:
    """10 % of calls answered with 429, 5 % with 500, 10 % malformed: what is learned, told, and learned again."""
    world = World(MANY_RULES)
    fed = world.feedback(known)
    found: Figures = {}
    pupil.start()
    for run in (1, 2):
        meter.behave(chat_ms=20, embedding_ms=3, busy=0.1, broken=0.05, malformed=0.1, salt=run)
        told = pupil.learn(fed)
        rules = {(thing_in(text), says_right(text)) for text in pupil.guidelines()}
        unknown = {case.trace_id for case in fed if (case.thing, world.rules[case.thing].right) not in rules}
        found |= {
            f"told pending, run {run}": len(told),
            f"rule unknown and not told, run {run}": len(unknown - told),
            f"in no rule's sources and not told, run {run}": known - len(pupil.sources() | told),
        }
    return found


def resident_mb() -> float:
    """Memory that this process holds."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _learned(pupil: Pupil, meter: Meter, known: int) -> World:
    meter.behave(chat_ms=0, embedding_ms=0)
    pupil.start()
    world = World(RULES)
    pupil.learn(world.feedback(known, words=REASON_WORDS))
    return world


ROWS: dict[str, Callable[[Pupil, Meter], Figures]] = {
    "align": align,
    "one more at 10": lambda pupil, meter: one_more(pupil, meter, 10),
    "one more at 1,000": lambda pupil, meter: one_more(pupil, meter, 1000),
    "verdict": verdict,
    "forget": forget,
    "load": load,
    "many": many,
    "memory": memory,
    "leaks": leaks,
    "faults": faults,
}
